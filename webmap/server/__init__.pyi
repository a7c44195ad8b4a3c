from .demo_users import demo_links as demo_links
from .run import listen as listen
from .run import serve as serve
from .worker import Worker as Worker
