#include "core/report/report_html.h"

#include "core/domain/task.h"
#include "core/report/report_sections.h"

namespace cloister {
namespace {

// The roles of the desktop's look (window, panel, raised, text, quiet, accent, good, warning, bad) and Okabe–Ito series colours.
constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--window:#F6F7F9;--panel:#FFFFFF;--raised:#EEF1F4;--text:#1A1F24;--quiet:#57606A;--line:#D5DAE0;--accent:#0B6E6E;
--good:#1F7A3D;--warning:#8A5A00;--bad:#B3261E;--s0:#0072B2;--s1:#C24E00;--s2:#007A5A;--s3:#A83F7E;--s4:#8A6A00;--s5:#2F86B8;--s6:#1A1F24}
@media screen and (prefers-color-scheme:dark){:root{--window:#16191D;--panel:#1D2126;--raised:#262B31;--text:#E6EAEE;--quiet:#A0A9B2;--line:#3A424B;
--accent:#3CC3B5;--good:#63C988;--warning:#E3B341;--bad:#FF8A80;--s0:#56B4E9;--s1:#E69F00;--s2:#2FC79A;--s3:#DE93BE;--s4:#F0E442;--s5:#7FA8FF;--s6:#E6EAEE}}
*{box-sizing:border-box}
body{margin:0;background:var(--window);color:var(--text);font:15px/1.5 system-ui,"Segoe UI","Noto Sans","Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif;
font-variant-numeric:tabular-nums}
main{max-width:1120px;margin:0 auto;padding:32px 24px 48px}
header h1{font-size:26px;line-height:1.25;margin:0 0 4px}
h2{font-size:18px;margin:0 0 4px}
h3{font-size:14px;margin:16px 0 4px}
p{margin:0 0 8px}
.quiet,.note{color:var(--quiet)}
.note{max-width:80ch;margin-bottom:12px}
.key{color:var(--quiet);font-size:12px;overflow-wrap:anywhere}
header dl{margin:12px 0 16px;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:8px 20px}
header dl div{min-width:0}
dl{display:grid;grid-template-columns:minmax(120px,auto) 1fr;gap:6px 20px;margin:0}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere}
header dt{font-size:12px}
section{background:var(--panel);border:1px solid var(--line);border-radius:4px;padding:20px 24px 24px;margin-top:16px}
.notice{border:1px solid var(--line);border-left:4px solid var(--warning);background:var(--panel);border-radius:4px;padding:12px 16px}
.notice p{margin:0}
.notice b{color:var(--warning)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(205px,1fr));gap:12px}
.card{background:var(--raised);border-radius:4px;padding:12px 16px}
.card h3{margin:0;font-weight:600;font-size:13px}
.card p{margin:0;font-size:13px}
.card .big{font-size:32px;line-height:1.25;font-weight:600}
.cards+div{margin-top:12px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(430px,100%),1fr));gap:24px 32px}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(430px,100%),1fr));gap:16px 32px;align-items:start;margin-bottom:16px}
figure{margin:0;min-width:0}
figcaption{font-weight:600;margin-bottom:4px}
svg{display:block;width:100%;height:auto}
.grid{stroke:var(--line);stroke-width:1}
.axis{stroke:var(--quiet);stroke-width:1}
.chance{stroke:var(--quiet);stroke-width:1.2;stroke-dasharray:3 4}
.curve{fill:none;stroke-width:2;stroke-linejoin:round}
.band{opacity:.16}
.bar{fill:var(--quiet);opacity:.25}
.tick{font-size:11px;fill:var(--quiet)}
.label{font-size:12px;fill:var(--text)}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;font-size:13px;margin-top:4px}
.legend span{display:inline-flex;align-items:center;gap:8px}
.legend svg{width:26px;flex:none}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:6px 12px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
thead th{color:var(--quiet);font-weight:600;font-size:12px}
td.n,th.n{white-space:nowrap}
th.n,td.n{text-align:right;padding-right:0;padding-left:16px}
.scroll+.scroll{margin-top:20px}
.pair table{font-size:13px}
.pair td:first-child{white-space:nowrap}
.alone{max-width:600px}
.pair th.n{white-space:normal}
.pair th.n,.pair td.n{padding-left:10px}
.confusion{width:auto;margin-top:4px}
.confusion th,.confusion td{border:0;padding:8px 12px;text-align:center;vertical-align:middle}
.confusion th{font-size:13px;max-width:12em;overflow-wrap:anywhere}
.confusion tbody td{min-width:76px;border:2px solid var(--panel);background:color-mix(in srgb,var(--accent) calc(var(--share)*.9),var(--raised))}
.confusion tbody td.deep{color:var(--panel)}
.confusion td b,.confusion td span{display:block}
.confusion td span{font-size:12px}
.samples{display:grid;grid-template-columns:repeat(auto-fill,minmax(158px,1fr));gap:16px}
.sample img{width:100%;border-radius:2px;border:2px solid transparent;background:#000}
.sample.wrong img{border-color:var(--bad)}
.sample.right img{border-color:var(--good)}
.sample figcaption,.triplet figcaption{font-weight:400;font-size:13px;margin:4px 0 0}
img.small{image-rendering:pixelated}
.triplets{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(330px,100%),1fr));gap:20px 24px}
.triplet div{display:grid;grid-template-columns:repeat(3,1fr);gap:4px}
.triplet img{width:100%;background:#000}
.warning{border-left:4px solid var(--warning);background:var(--raised);margin:0 0 16px;padding:10px 16px 10px 32px;border-radius:4px}
footer{color:var(--quiet);font-size:13px;margin-top:24px}
@media print{@page{size:A4;margin:14mm}body{background:#fff;font-size:11px}main{padding:0;max-width:none}section{break-inside:auto;border:0;border-top:1px solid var(--line);border-radius:0;
padding:12px 0}.card,figure,tr,.notice{break-inside:avoid}h2,h3,.note{break-after:avoid}.charts,.pair{grid-template-columns:1fr 1fr}.samples{grid-template-columns:repeat(6,1fr)}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
)css";

QString fact(const QString& name, const QString& value) {
  return QStringLiteral("<div><dt>%1</dt><dd>%2</dd></div>").arg(name.toHtmlEscaped(), value.toHtmlEscaped());
}

QString header(const report::Context& c) {
  const QJsonObject& j = c.json;
  const QString time = j["createdAt"].toString().left(16).replace('T', ' ');
  const QString input =
      c.text("input.text").arg(QString::number(j["imageSize"].toInt()), c.text("input." + QString::number(j["channels"].toInt())));
  QString facts = fact(c.text("run"), j["run"].toString()) + fact(c.text("model"), j["architecture"].toString()) +
                  fact(c.text("snapshot"), j["snapshot"].toString().left(12)) +
                  fact(c.text("split"), c.text("split." + j["split"].toString()));
  if (j["imageSize"].toInt() > 0) facts += fact(c.text("input"), input);
  facts += fact(c.text("created"), time);
  return QStringLiteral(
             "<header><h1>%1</h1><p class=\"quiet\">%2</p><dl>%3</dl></header>"
             "<div class=\"notice\"><p><b>%4</b> %5</p></div>\n")
      .arg(c.text("title").toHtmlEscaped(), report::basis(c).toHtmlEscaped(), facts, c.text("notice.device").toHtmlEscaped(),
           c.text("notice.external").toHtmlEscaped());
}

}  // namespace

QByteArray reportHtml(const QJsonObject& json, const QString& folder, const QString& language) {
  const report::Context c{json, folder, ReportTexts(language)};
  QString page =
      QStringLiteral(
          "<!DOCTYPE html>\n<html lang=\"%1\"><head><meta charset=\"utf-8\">"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>%2 · %3</title><style>")
          .arg(c.text.code(), c.text("title").toHtmlEscaped(), json["run"].toString().toHtmlEscaped());
  page += QLatin1String(kStyle) + QStringLiteral("</style></head><body><main>\n");
  if (isLanguageTask(json["task"].toString())) page += report::languageReport(c);
  else
    page += header(c) + report::headline(c) + report::quality(c) + report::classTable(c) + report::groups(c) + report::attacks(c) +
            report::latency(c) + report::samples(c, "worst") + report::samples(c, "best") + report::method(c);
  page +=
      QStringLiteral("<footer>%1</footer>\n</main></body></html>\n").arg(c.text("footer").arg(json["version"].toString()).toHtmlEscaped());
  return page.toUtf8();
}

}  // namespace cloister
