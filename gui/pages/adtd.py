from dash import html
from gui.plugin import Page
page = Page("adtd", "ADTD", "description of ADTD", order=30, requires=("dtd",))
@page.layout
def layout(ctx):
    return html.Div("ADTD", id=page.id.text)
