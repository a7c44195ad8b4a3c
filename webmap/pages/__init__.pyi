from . import downloads as downloads
from . import jobs as jobs
from . import layout as layout
from . import static_files as static_files
from . import uploads as uploads
