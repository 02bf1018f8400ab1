"""The style of the status page, and the script that refreshes it. Colours never carry meaning alone: words do."""

import base64
import hashlib

STYLE = """
:root{color-scheme:light dark;--page:#fafaf8;--card:#fff;--ink:#1d2024;--soft:#5d646e;--rule:#e3e3de;--blue:#2a6db0;
--good:#19764a;--warn:#8d5d00;--bad:#b9241a;--badge:#fdf0ee}
@media(prefers-color-scheme:dark){:root{--page:#131518;--card:#1a1d21;--ink:#e7e7e4;--soft:#9da4ad;--rule:#2d3137;
--blue:#7fb4ea;--good:#5cc78f;--warn:#e2b352;--bad:#ff8478;--badge:#2c1b1a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font-variant-numeric:tabular-nums;
font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,footer{max-width:1240px;margin:0 auto;padding:20px 24px 8px}
header{display:flex;flex-wrap:wrap;gap:4px 14px;align-items:baseline}
h1{font-size:17px;margin:0}
h2{font-size:15px;margin:30px 0 8px}
.soft,small,dt,th{color:var(--soft)}
.verdict{font-size:26px;line-height:1.25;font-weight:650;margin:14px 0 2px;letter-spacing:-.01em}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.verdict b,.state b{font-weight:inherit;margin-right:.35em}
.alarm{background:var(--badge);border-left:4px solid var(--bad);border-radius:4px;padding:10px 14px;margin:14px 0}
.alarm code{display:block;margin-top:4px;white-space:pre-wrap;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:14px 24px;margin:18px 0 0}
dt{font-size:13px}dd{margin:0;font-size:17px;overflow-wrap:anywhere}dd small{font-size:13px}
code,pre,.host{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.93em}
.sheet{background:var(--card);border:1px solid var(--rule);border-radius:8px;overflow-x:auto}
table{border-collapse:collapse;width:100%}
th{font-weight:500;font-size:13px;text-align:right;padding:8px 12px;white-space:nowrap}
td{border-top:1px solid var(--rule);padding:9px 12px;text-align:right;white-space:nowrap;vertical-align:middle}
th:first-child,td:first-child{text-align:left}
.state{font-weight:600}.state small{font-weight:400;margin-left:.4em}
.plot{width:96px;height:24px;vertical-align:middle;overflow:visible}
.n{display:inline-block;min-width:3.4em;padding-left:8px}.none .n{color:var(--soft)}
.line{fill:none;stroke:var(--blue);stroke-width:1.5;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.area{fill:var(--blue);opacity:.13}
.error_rate .line{stroke:var(--bad)}.error_rate .area{fill:var(--bad)}
.dense td{padding:3px 12px}.dense .plot{width:72px;height:16px}
.dense .state{display:inline-block;margin-left:10px}
.log{list-style:none;margin:0;padding:6px 14px}.log li{padding:3px 0}
pre{margin:0;padding:12px 14px;line-height:1.5}
footer{color:var(--soft);font-size:13px;padding-bottom:28px}
a{color:var(--blue)}
#lost{display:none}.lost #lost{display:block}
@media(max-width:760px){main,footer{padding-left:14px;padding-right:14px}.verdict{font-size:22px}
dl{grid-template-columns:1fr 1fr;gap:12px 16px}dd{font-size:15px}
.hosts{background:none;border:0}.hosts table,.hosts tbody{display:block}.hosts thead{display:none}
.hosts tr{display:grid;grid-template-columns:1fr 1fr 1fr;gap:8px 18px;background:var(--card);
border:1px solid var(--rule);border-radius:8px;padding:10px 14px;margin-bottom:10px}
.hosts td{border:0;padding:0;text-align:left;white-space:normal;display:flex;flex-direction:column}
.hosts td:first-child{grid-column:1/-1;display:block}.hosts td.none{display:none}
.hosts td[data-name]::before{content:attr(data-name);color:var(--soft);font-size:13px}
.n{order:1;padding:0}.plot,.dense .plot{order:2;width:100%;height:20px;margin-top:2px}}
"""

SCRIPT = """
const again = async () => {
  try {
    const page = await (await fetch(location.pathname, {cache: "no-store"})).text();
    const fresh = new DOMParser().parseFromString(page, "text/html");
    document.querySelector("main").replaceWith(fresh.querySelector("main"));
    document.title = fresh.title;
    document.body.className = "";
  } catch (error) { document.body.className = "lost"; }
};
setInterval(() => document.hidden || again(), 5000);
"""


def _allowed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; style-src {_allowed(STYLE)}; script-src {_allowed(SCRIPT)}; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'"
)
"""The Content-Security-Policy: the page may load only itself."""
