"""Settings of the documentation."""

import os
import re
from importlib.metadata import version as installed_version
from pathlib import Path

from docutils.parsers.rst import roles

project = "npnets"
author = "the npnets authors"
copyright = "2026, the npnets authors"
release = version = installed_version("npnets")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
default_role = "name_or_code"
rst_epilog = Path(__file__).with_name("numbers.txt").read_text(encoding="utf-8")  # measured numbers, as |name|

html_theme = "furo"
html_title = f"npnets {release}"
pygments_dark_style = "github-dark"  # Furo's default underlines the names of imported modules
html_static_path = ["_static"]
html_css_files = ["npnets.css"]
html_theme_options = {"navigation_with_keys": True}
html_show_sourcelink = False
html_copy_source = False
html_baseurl = os.environ.get("READTHEDOCS_CANONICAL_URL", "")  # only the host of the pages knows their address

# Code can be copied, the output below it cannot. Prompts are left behind.
copybutton_selector = "div.highlight-python pre, div.highlight-default pre, div.highlight-sh pre"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

add_module_names = True
autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "none"  # docstrings say more: shapes, too
autosummary_generate = False

# Only what is marked as tested is run: examples in docstrings are tested where they stand, by the test suite.
doctest_test_doctest_blocks = ""

# The blocks of each page run in a folder of their own, with the repository's examples in it.
doctest_global_setup = """
import os as _os, tempfile as _tempfile
_before, _folder = _os.getcwd(), _tempfile.TemporaryDirectory()
_os.symlink(_os.path.abspath("examples"), _os.path.join(_folder.name, "examples"))
_os.chdir(_folder.name)
"""
doctest_global_cleanup = """
_os.chdir(_before)
_folder.cleanup()
"""


def skip_names_from_elsewhere(app, what, name, obj, skip, options):
    """Leave out what a module of ours passes on from NumPy: NumPy's documentation describes it, with its own links."""
    return skip or str(getattr(obj, "__module__", "")).partition(".")[0] == "numpy"


def name_or_code(role, rawtext, text, lineno, inliner, options=None, content=()):
    """Make a link of what is a public name of ours, or a call of one, and code of anything else in single backticks.

    A name is looked up in the package, not in the class that the text stands in: `init` there is a word, not a link to
    the method one line below.
    """
    match = re.fullmatch(r"([A-Za-z]\w*(?:\.\w+)*)(\(.*\))?", text, re.DOTALL)
    if not match:
        return roles.code_role("code", rawtext, text, lineno, inliner, options or {}, content)
    name, call = match.groups()
    text = f"{text} <{name}>" if call else name
    reference = inliner.document.settings.env.get_domain("py").role("obj")
    nodes, messages = reference("py:obj", rawtext, text, lineno, inliner, options or {}, content)
    for node in nodes:
        node["py:class"] = None
    return nodes, messages


def readable_signature(app, what, name, obj, options, signature, return_annotation):
    """Write defaults as users do, and no constructor for what is only a form, never an object."""
    if getattr(obj, "_is_protocol", False):
        return "", None
    if signature is None:
        return None
    return re.sub(r"<class '[\w.]*\.(\w+)'>", r"\1", signature), return_annotation


def leave_signatures(app):
    """Leave functions as they are where they run: to preserve defaults, Sphinx writes into their signatures."""
    if app.builder.name == "doctest":
        app.config.autodoc_preserve_defaults = False


def setup(app):
    """Hand the functions above to Sphinx."""
    app.add_role("name_or_code", name_or_code)
    app.connect("autodoc-process-signature", readable_signature)
    app.connect("autodoc-skip-member", skip_names_from_elsewhere)
    app.connect("builder-inited", leave_signatures)
