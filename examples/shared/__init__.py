"""Code that several folders share: command line, evaluation, results and figures."""
