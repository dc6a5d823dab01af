"""Settings of the documentation."""

from importlib.metadata import version as installed_version

project = "npnets"
author = "the npnets authors"
copyright = "2026, the npnets authors"
release = version = installed_version("npnets")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.doctest", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
default_role = "code"

html_theme = "alabaster"
html_theme_options = {
    "description": "Actor and critic networks on NumPy and CuPy",
    "fixed_sidebar": True,
    "page_width": "1100px",
}

napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"

# Only what is marked as tested is run: examples in docstrings are tested where they stand, by the test suite.
doctest_test_doctest_blocks = ""


def skip_names_from_elsewhere(app, what, name, obj, skip, options):
    """Leave out what a module of ours passes on from NumPy: NumPy's documentation describes it, with its own links."""
    return skip or str(getattr(obj, "__module__", "")).partition(".")[0] == "numpy"


def setup(app):
    """Connect the functions above to Sphinx's events."""
    app.connect("autodoc-skip-member", skip_names_from_elsewhere)
