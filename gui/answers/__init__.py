"""What results say, in words: sentences, badges and lines that the pages and the report share.

No Dash.
"""
