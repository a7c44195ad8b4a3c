from . import manifest as manifest
from . import oidc as oidc
from . import sign_in as sign_in
from .sign_in import onward as onward
from .sign_in import unkept as unkept
