#include "widgets/text/record_view.h"

#include <QJsonArray>
#include <QScrollBar>
#include <QTextBlockFormat>
#include <QTextCursor>

#include "core/domain/failure.h"
#include "widgets/common/language.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"
#include "widgets/data/ingest_task.h"

namespace cloister {
namespace {
constexpr int kRecords = 20;
}

RecordView::RecordView(StoreClient& store, QWidget* parent) : QTextEdit(parent), task_(new IngestTask(store, this)) {
  setReadOnly(true);
  setUndoRedoEnabled(false);
  setTabChangesFocus(true);
  setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  whenThemed(this, [this] { draw(); });
  connect(&Language::current(), &Language::changed, this, &RecordView::draw);
}

void RecordView::clear_() {
  task_->cancel();
  answer_ = {};
  note_.clear();
  draw();
}

void RecordView::show_(const Sample& sample, const QString& objectPath) {
  kind_ = sample.modality;
  QJsonObject input{{"path", objectPath}, {"name", sample.key}};
  for (const char* name : {"kind", "each", "prompt", "sourceColumn", "targetColumn"})
    if (sample.header.contains(QLatin1String(name))) input[QLatin1String(name)] = sample.header[QLatin1String(name)];
  task_->start(QStringLiteral("tokenizer"),
               {{"action", "records"}, {"kind", sample.modality}, {"inputs", QJsonArray{input}}, {"count", kRecords}},
               [this](const Result<QJsonObject>& answer) {
                 answer_ = answer ? *answer : QJsonObject();
                 note_ = answer ? QString() : describe(answer.error());
                 draw();
               });
}

void RecordView::part(QTextCursor& cursor, const QString& heading, const QString& text, const QColor& colour) {
  QTextCharFormat name, words;
  name.setForeground(colour);
  name.setFontWeight(QFont::DemiBold);
  words.setForeground(Theme::current().tokens().text);
  QTextBlockFormat above, below;
  above.setTopMargin(space::kXs);
  if (!document()->isEmpty()) cursor.insertBlock();
  cursor.setBlockFormat(above);
  if (!heading.isEmpty()) {
    cursor.insertText(heading, name);
    cursor.insertBlock(below);
  }
  cursor.insertText(text, words);
}

void RecordView::draw() {
  const Tokens& t = Theme::current().tokens();
  clear();
  QTextCursor cursor(document());
  cursor.beginEditBlock();
  if (!note_.isEmpty()) part(cursor, {}, note_, t.bad);
  const bool pairs = kind_ == u"pairs";
  for (const QJsonValue& v : answer_["records"].toArray()) {
    const QJsonObject o = v.toObject();
    QTextBlockFormat apart;
    apart.setTopMargin(space::kM);
    QTextCharFormat small;
    small.setForeground(t.quiet);
    small.setFontPointSize(Theme::current().font(TextSize::Small).pointSizeF());
    if (!document()->isEmpty()) cursor.insertBlock();
    cursor.setBlockFormat(apart);
    cursor.insertText(tr("Line or record %1").arg(words::number(o["line"].toInteger())), small);
    if (o.contains("text")) part(cursor, {}, o["text"].toString(), t.text);
    for (const QJsonValue& turn : o["turns"].toArray()) {
      const QString role = turn["role"].toString();
      const bool given = role != u"assistant";
      part(cursor,
           pairs               ? given ? tr("Source") : tr("Target")
                         : role == u"system" ? tr("Instruction")
           : given             ? tr("Question")
                               : tr("Answer"),
           turn["text"].toString(), given ? t.quiet : t.accent);
    }
    if (o.contains("chosen")) part(cursor, tr("Better answer"), o["chosen"].toString(), t.good);
    if (o.contains("rejected")) part(cursor, tr("Worse answer"), o["rejected"].toString(), t.bad);
  }
  for (const QJsonValue& v : answer_["refused"].toArray())
    part(cursor, tr("Line or record %1 was left out").arg(words::number(v["line"].toInteger())), v["why"].toString(), t.warning);
  cursor.endEditBlock();
  verticalScrollBar()->setValue(0);
}

}  // namespace cloister
