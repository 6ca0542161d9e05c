from dash import html
from gui.plugin import Page
page = Page("upload", "Upload", "description of Upload", order=10, requires=())
@page.layout
def layout(ctx):
    return html.Div("Upload", id=page.id.text)
