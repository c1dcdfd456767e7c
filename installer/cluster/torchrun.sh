#!/bin/sh
# Trains a run of a Cloister project under torchrun (PyTorch's launcher; nothing of Python runs in the worker). Written by
# `cloister-cli launch --on torchrun`. On several hosts: the same line on each, all within a few minutes.
@ENVIRONMENT@
exec @LINE@
