"""Makes peer_cutoffs.json.gz: what scikit-learn says of the test users at three
cut-offs each of Online Retail and CDNOW, with the features of reference/churn.json
and its splits (users by id, every fifth tests). Logistic regression as there,
GradientBoostingClassifier (100 trees, depth 3, seed 0) and
HistGradientBoostingClassifier (seed 0).

Run where the reference's own tools lie: DWELL_SHARED=DIR python3 peer_cutoffs.py
"""
import gzip, json, os, sys

shared = os.environ["DWELL_SHARED"]
sys.path.insert(0, os.path.join(shared, "reference", "tools"))
import numpy as np, pandas as pd
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from churn import log_features
from common import DATA
import events as ev

r = ev.retail().dropna(subset=["CustomerID"])
r["value"] = r.Quantity * r.UnitPrice
r["event"] = np.where(r.InvoiceNo.str.startswith("C"), "cancellation", "purchase")
r["user"], r["ts"] = r.CustomerID.astype(int), r.InvoiceDate
i = r.groupby("InvoiceNo", sort=False).agg(user=("user", "first"), ts=("ts", "min"), event=("event", "first"), value=("value", "sum")).reset_index()
retail = ev.prep(i[i.event == "purchase"])
d = pd.read_csv(DATA / "cdnow/CDNOW_master.txt.gz", sep=r"\s+", header=None, names=["user", "ts", "cds", "value"])
d = d[pd.to_numeric(d.user, errors="coerce").notna()].copy()
d["user"], d["value"] = d.user.astype(int), d.value.astype(float)
d["ts"], d["event"] = pd.to_datetime(d.ts.astype(str), format="%Y%m%d"), "purchase"
cdnow = ev.prep(d)

out = []
for name, df, horizon, cuts in (("online_retail", retail, 90, ("2011-06-01", "2011-07-15", "2011-09-01")), ("cdnow", cdnow, 180, ("1997-08-01", "1997-10-01", "1997-12-01"))):
    for cut in cuts:
        X, y = log_features(df, cut, horizon, "value")
        test = np.arange(len(X)) % 5 == 0
        mu, sd = X[~test].mean(), X[~test].std(ddof=0).replace(0, 1)
        Z = (X - mu) / sd
        p = {
            "logistic": LogisticRegression(C=1.0, max_iter=10000, tol=1e-10).fit(Z[~test], y[~test]).predict_proba(Z[test])[:, 1],
            "gradient_boosting": GradientBoostingClassifier(n_estimators=100, learning_rate=.1, max_depth=3, random_state=0).fit(X[~test], y[~test]).predict_proba(X[test])[:, 1],
            "hist_gradient_boosting": HistGradientBoostingClassifier(random_state=0).fit(X[~test], y[~test]).predict_proba(X[test])[:, 1],
        }
        print(name, cut, len(X), round(y.mean(), 4), {k: round(roc_auc_score(y[test], v), 4) for k, v in p.items()}, file=sys.stderr)
        out.append({"data": name, "cut": cut, "horizon": horizon, "population": len(X), "churned": int(y.sum()),
                    "users": [int(u) for u in X.index[test]], "outcome": [int(v) for v in y[test]], **{k: [round(float(x), 5) for x in v] for k, v in p.items()}})
with gzip.GzipFile("peer_cutoffs.json.gz", "wb", mtime=0) as f:
    f.write(json.dumps(out, separators=(",", ":")).encode())
