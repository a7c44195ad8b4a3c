"""The Flask app that serves folium maps of the markets."""
