"""Who plays in the sample company: places and people, products, names, and the truths planted in how they behave."""

from typing import NamedTuple

COMPANY = "Northgate Industrial"
START, END = "2023-07-01", "2026-06-30"  # first and last day of orders


class Territory(NamedTuple):
    """One territory as history dealt it out, and its rep."""

    states: str  # whole states, two letters each
    district: str  # whose manager it reports to
    rep: str  # name of its rep
    lon: float  # of its big city, where the rep ought to live; degrees
    lat: float
    # factor on all sales there that no rep and no alignment changes; 1 but for two troubled and two strong ones
    place: float = 1.0


# The firm grew up in Ohio and gave each new rep whatever whole states were still open, so that size came by accident.
TERRITORIES = (
    Territory("OH IN", "Midwest", "Carla Denholm", -82.99, 39.96, 1.4),
    Territory("MI", "Midwest", "Owen Tavares", -83.05, 42.33),
    Territory("IL IA", "Midwest", "Marcus Feld", -87.63, 41.88, 0.65),
    Territory("WI", "Midwest", "Ingrid Solheim", -87.91, 43.04),
    Territory("MN", "Midwest", "Tomas Reyes", -93.27, 44.98),
    Territory("ND SD NE", "Midwest", "Lena Kovac", -95.94, 41.26),
    Territory("MO KS", "Midwest", "Yvette Monroe", -90.20, 38.63),
    Territory("KY WV", "Midwest", "Grant Ashby", -85.76, 38.25),
    Territory("NY", "Northeast", "Mina Haddad", -73.99, 40.73),
    Territory("NJ", "Northeast", "Victor Lund", -74.17, 40.74),
    Territory("PA DE", "Northeast", "Joanna Pike", -75.16, 39.95, 0.65),
    Territory("MD DC", "Northeast", "Curtis Vaughn", -76.61, 39.29),
    Territory("MA", "Northeast", "Beth Okafor", -71.06, 42.36),
    Territory("CT RI", "Northeast", "Ray Castellano", -72.69, 41.77),
    Territory("ME NH VT", "Northeast", "Simon Arceneau", -71.46, 42.99),
    Territory("VA", "South", "Elise Fontaine", -77.44, 37.54),
    Territory("NC", "South", "Derek Amos", -80.84, 35.23, 1.4),
    Territory("SC", "South", "Priya Lockhart", -79.95, 32.78),
    Territory("GA AL", "South", "Nadia Barros", -84.39, 33.75),
    Territory("FL", "South", "Paul Serrano", -82.46, 27.95),
    Territory("TN", "South", "Wendy Cho", -86.78, 36.16),
    Territory("MS LA", "South", "Frank Delgado", -90.07, 29.95),
    Territory("OK AR", "South", "Sylvie Broussard", -97.52, 35.47),
    Territory("TX", "South", "Jesse Holloway", -96.80, 32.78),
    Territory("CA", "West", "Anita Rao", -118.24, 34.05),
    Territory("NV", "West", "Dana Whitlock", -115.14, 36.17),
    Territory("AZ NM", "West", "Hal Brubaker", -112.07, 33.45),
    Territory("WA OR", "West", "Colin Marsh", -122.33, 47.61),
    Territory("UT ID MT WY", "West", "Neil Garrity", -111.89, 40.76),
    Territory("CO", "West", "Teresa Quintana", -104.99, 39.74),
)

MANAGERS = {  # district -> name and home
    "Midwest": ("Ruth Lindgren", -87.63, 41.88),
    "Northeast": ("Alan Mercado", -73.99, 40.73),
    "South": ("Gloria Tate", -84.39, 33.75),
    "West": ("Peter Nakata", -104.99, 39.74),
}

# Two reps who moved for their families and kept their states: Minnesota from Houston, the Dakotas from San Jose.
WRONG_HOMES = {"T05": (-95.37, 29.76), "T06": (-121.89, 37.34)}


class Product(NamedTuple):
    """One thing that is sold."""

    name: str  # as in the catalogue
    category: str
    price: float  # list price of one piece
    margin: float  # share of the price that is margin
    owned: float  # chance that a customer it is sold to comes to own it
    sector: str | None = None  # the only sector it is sold to


PRODUCTS = {
    "P01": Product("Hand tools", "Tools", 95, 0.34, 0.45),
    "P02": Product("Cutting and grinding", "Tools", 60, 0.38, 0.35),
    "P03": Product("Fasteners", "Consumables", 35, 0.29, 0.50),
    "P04": Product("Safety gear", "Consumables", 80, 0.41, 0.55),
    "P05": Product("Lubricants and coolants", "Consumables", 120, 0.33, 0.35),
    "P06": Product("Bearings and drives", "Motion", 140, 0.30, 0.25),
    "P07": Product("Hydraulic hose and fittings", "Motion", 90, 0.36, 0.20),
    "P08": Product("Air compressors", "Equipment", 260, 0.24, 0.30),
    "P09": Product("Compressor monitoring", "Services", 150, 0.62, 0.12),
    "P10": Product("Machine-tool holders", "Tools", 210, 0.44, 0.30, "31-33"),
    "P11": Product("Storage and racking", "Equipment", 180, 0.27, 0.25),
    "P12": Product("Cleaning supplies", "Consumables", 45, 0.31, 0.30),
}
BASIC = ("P01", "P02", "P03", "P04")  # what a customer starts with
AFFINITY = ("P08", "P09", 3.0)  # an owner of the first is so many times as likely to come to own the second


class Sector(NamedTuple):
    """How one NAICS sector behaves."""

    fit: float  # log-odds of being a customer against a sector at zero
    spend: float  # what a firm of one employee could spend with us in a year
    growth: float  # drift of its orders, log a year
    trades: str  # words its firms put behind their name, parted by ``|``


SECTORS = {
    "11": Sector(0.3, 2200, 0.00, "Farms|Orchards|Timber|Growers|Dairy"),
    "21": Sector(1.2, 9000, -0.02, "Mining|Quarries|Aggregates|Drilling|Minerals"),
    "22": Sector(1.0, 7200, 0.03, "Power|Water Works|Energy|Utilities|Gas"),
    "23": Sector(0.9, 4800, -0.08, "Builders|Roofing|Paving|Electric|Masonry"),
    "31-33": Sector(1.6, 6600, 0.06, "Tool & Die|Castings|Plastics|Machine Works|Fabricating"),
    "42": Sector(1.0, 3800, 0.02, "Supply|Wholesale|Distributing|Trading|Imports"),
    "44-45": Sector(-0.3, 1600, 0.01, "Hardware|Market|Stores|Furniture|Outfitters"),
    "48-49": Sector(0.8, 4000, 0.03, "Freight|Logistics|Trucking|Warehousing|Transit"),
    "51": Sector(-1.0, 1400, 0.02, "Media|Software|Press|Networks|Studios"),
    "52": Sector(-2.0, 700, 0.02, "Insurance|Credit Union|Capital|Advisors|Lending"),
    "53": Sector(-1.0, 1300, 0.02, "Realty|Properties|Rentals|Leasing|Estates"),
    "54": Sector(-1.2, 1000, 0.02, "Engineering|Design|Law|Consulting|Surveying"),
    "55": Sector(-0.8, 1400, 0.02, "Holdings|Group|Partners|Ventures|Enterprises"),
    "56": Sector(0.1, 1800, 0.01, "Staffing|Janitorial|Landscaping|Security|Services"),
    "61": Sector(-0.3, 1200, 0.01, "Academy|School|College|Institute|Learning"),
    "62": Sector(-0.8, 1100, 0.03, "Clinic|Dental|Hospital|Care Home|Health"),
    "71": Sector(-0.6, 1200, 0.00, "Golf|Fitness|Theater|Museum|Marina"),
    "72": Sector(-0.6, 1300, 0.00, "Hotel|Grill|Catering|Cafe|Inn"),
    "81": Sector(0.2, 2200, 0.01, "Auto Repair|Laundry|Welding|Garage|Salon"),
    "92": Sector(0.0, 1600, 0.01, "Township|Parks Board|Transit Board|Harbor Board|Roads Board"),
}

# Invented or common surnames and landmarks, so unlike one another that two firms at one postcode are never near twins.
STEMS = """
Abernathy Aldersgate Amberly Antrobus Applewhite Arkwright Ashdown Atterbury Audley Averill Bainbrook Ballantyne
Bardwell Barnaby Beaumont Bellwether Birchfield Blackthorn Bluestem Bogardus Boscombe Bracken Brandvold Briarcliff
Broadhurst Burlingame Cadwallader Calloway Castellan Cedarholm Chadbourne Chisholm Clearwater Copperfield Cornwallis
Crabtree Cromarty Cypress Dalrymple Danforth Delacroix Devonshire Dragonetti Drummond Dunleavy Eastlake Ecklund
Edgecombe Eisenhart Endicott Everglow Fairbanks Falkenrath Farnsworth Featherstone Fitzgibbon Flanders Foxglove
Frobisher Gilchrist Glendower Goldfinch Grantham Greystone Gustafson Haddonfield Halvorsen Harcourt Hathaway Hazelwood
Hibiscus Highpoint Hollyoak Huxtable Ironbridge Isaksen Jablonski Jeffries Jorgensen Juniper Kaczmarek Kettering
Kilpatrick Kingfisher Kowalczyk Lafontaine Langstroth Larkspur Lindqvist Lodgepole Lombardi Longacre Mackinaw Magnolia
Mandeville Marchetti Maybury Mcallister Meadowlark Meriwether Millrace Montague Moonstone Mulvaney Nakagawa Nethercott
Nightingale Nordstrand Oakhurst Obermeyer Ocotillo Olmstead Overbrook Palisade Papadakis Peregrine Pettigrew Pinecrest
Plumridge Quackenbush Quarrier Quillfeather Radcliffe Ravenna Redcedar Riverbend Rosenthal Rutherford Saguaro Sandoval
Scarborough Schoonover Shadrach Silverton Skylark Southgate Spindletop Stapleton Summerhill Sycamore Szymanski Tamarack
Tanglewood Tessellate Thackeray Tidewater Tolliver Trelawney Tumbleweed Upchurch Vandermeer Vasquez Verhoeven Vinterberg
Wadsworth Walkowiak Waverly Westerfield Wildhorse Winthrop Wynngate Xenakis Yellowtail Youngblood Zabriskie Zeigler
""".split()  # noqa: SIM905 - reads as the list it is
LEGAL_FORMS = ("", " Inc", " LLC", " Co")

# Being a customer: logit = intercept + sector + size ln(employees / 10) + density log10(people per km2 / 100)
CUSTOMER = {"intercept": -0.85, "size": 0.45, "density": 0.25, "median_income": 0.0}
# Winning: logit = intercept + fit (customer logit - intercept) - distance ln(1 + km / 100) - overload + skill
WIN = {"intercept": -0.60, "fit": 0.35, "distance": -0.30, "overload": -0.25, "skill": 0.30}
ELASTICITY = 0.34  # of sales to selling time (Albers, Mantrala and Sridhar 2010)
SKILL_ON_SALES = 0.08  # log sales for one standard deviation of rep skill
NEW_SHARE = 0.20  # of the customers, won within the three years
LATE_SHARE = 0.25  # of the holdings of a customer, added later through an opportunity
CHURN = 0.08  # customers who stop, a year
SEASON = 0.22  # swing of orders over the year, highest at the end of April
SELLING_H = 1300  # hours a year a rep has for customers, with travel
CONTACT_SHARE = 0.6  # of selling time, spent in calls
LOOK_ALIKE = 0.6  # chance of being a customer from which a non-customer counts as a look-alike
