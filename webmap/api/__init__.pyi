from . import eligibility as eligibility
from . import resources as resources
