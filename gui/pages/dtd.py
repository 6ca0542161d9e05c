from dash import html
from gui.plugin import Page
page = Page("dtd", "DTD", "description of DTD", order=20, requires=("dataset",))
@page.layout
def layout(ctx):
    return html.Div("DTD", id=page.id.text)
