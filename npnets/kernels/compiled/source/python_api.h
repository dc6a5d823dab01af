/* The headers of Python and NumPy, with the same settings in each file that talks to Python. */

#ifndef NPNETS_PYTHON_API_H
#define NPNETS_PYTHON_API_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL npnets_array_api
#define PY_UFUNC_UNIQUE_SYMBOL npnets_ufunc_api
#ifndef NPNETS_IMPORTS_NUMPY /* module.c imports NumPy's functions for all files */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#endif
#include <numpy/arrayobject.h>
#include <numpy/ufuncobject.h>

#endif
