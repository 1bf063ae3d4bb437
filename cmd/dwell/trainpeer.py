"""The peer of dwell bench --train: scikit-learn on the same table, in the same run.

python3 trainpeer.py FILE USERS MEASURES: the file holds the measures one after the
other as little-endian float64, then one byte a user. Prints seconds as JSON:
logistic is StandardScaler and LogisticRegression (lbfgs, its own tolerance),
boosting HistGradientBoostingClassifier with 100 trees of depth 6, 255 bins, no
early stopping.
"""
import json, sys, time

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

path, n, k, what = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
with open(path, "rb") as f:
    x = np.ascontiguousarray(np.frombuffer(f.read(8 * n * k), dtype="<f8").reshape(k, n).T)
    y = np.frombuffer(f.read(n), dtype="u1")
begin, cpu = time.time(), time.process_time()
if what == "logistic":
    z = StandardScaler().fit_transform(x)
    LogisticRegression(solver="lbfgs", max_iter=1000).fit(z, y)
else:
    HistGradientBoostingClassifier(max_iter=100, max_depth=6, max_leaf_nodes=64, max_bins=255, early_stopping=False, l2_regularization=1).fit(x, y)
print(json.dumps({"seconds": time.time() - begin, "cpu": time.process_time() - cpu}))
