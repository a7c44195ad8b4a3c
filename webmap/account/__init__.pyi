from . import manifest as manifest
from . import oidc as oidc
from . import sign_in as sign_in
from .oidc_settings import Company as Company
from .oidc_settings import company_from as company_from
from .sign_in import onward as onward
from .sign_in import unkept as unkept
