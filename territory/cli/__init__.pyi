from .demo import demo_links as demo_links
