"""Makes digits.bin.gz from scikit-learn's wheel; run once, kept for the record.

pip download --no-deps scikit-learn -d wheels && python make_digits.py wheels/*.whl
One row a sample, 65 bytes: 64 pixels 0..16 in row-major order, then the label 0..9.
"""
import gzip
import sys
import zipfile

csv = gzip.decompress(zipfile.ZipFile(sys.argv[1]).read("sklearn/datasets/data/digits.csv.gz"))
rows = [bytes(int(float(cell)) for cell in line.split(b",")) for line in csv.split()]
assert len(rows) == 1797 and all(len(row) == 65 for row in rows)
with open("digits.bin.gz", "wb") as file:
    file.write(gzip.compress(b"".join(rows), 9, mtime=0))
