#!/usr/bin/env python3
"""Tells the hash of each function's zip, as the SAM CLI makes it and Lambda tells it. make proof-supply calls it.

    .tools/sam/bin/python scripts/zips.py FOLDER ...

A line for each folder: the SHA-256 of its zip in base64, which "aws lambda get-function-configuration" tells as CodeSha256,
and the folder's name.
"""
import base64
import hashlib
import pathlib
import sys
import tempfile

from samcli.lib.package.utils import make_zip_with_lambda_permissions

for folder in sys.argv[1:]:
    with tempfile.TemporaryDirectory() as scratch:
        made = make_zip_with_lambda_permissions(str(pathlib.Path(scratch, "code")), folder)
        digest = hashlib.sha256(pathlib.Path(made).read_bytes()).digest()
    print(base64.b64encode(digest).decode(), pathlib.Path(folder).name)
