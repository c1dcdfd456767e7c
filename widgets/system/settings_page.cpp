#include "widgets/system/settings_page.h"

#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QStandardPaths>
#include <QVBoxLayout>

#include "core/domain/version.h"
#include "widgets/common/language.h"
#include "widgets/common/path_edit.h"
#include "widgets/common/settings.h"
#include "widgets/common/theme.h"
#include "widgets/common/words.h"

namespace cloister {
namespace {

constexpr int kScales[] = {100, 125, 150, 175, 200, 250, 300};
constexpr int kFormWidth = 640;

QLabel* hint(QWidget* parent) {
  auto* label = new QLabel(parent);
  label->setWordWrap(true);
  setRole(label, "small");
  return label;
}

}  // namespace

SettingsPage::SettingsPage(StoreClient& store, QWidget* parent) : Page(page::kSettings, store, parent) {
  auto* card = new QFrame(this);
  setRole(card, "card");
  card->setMaximumWidth(kFormWidth);
  auto* form = new QFormLayout(card);
  form->setContentsMargins(space::kL, space::kL, space::kL, space::kL);
  form->setHorizontalSpacing(space::kXl);
  form->setVerticalSpacing(space::kM);
  const auto label = [card] { return new QLabel(card); };
  languageBox_ = new QComboBox(card);
  languageBox_->addItem(QStringLiteral("English"), "en");
  languageBox_->addItem(QStringLiteral("简体中文"), "zh_CN");
  themeBox_ = new QComboBox(card);
  for (const char* name : {"system", "light", "dark"}) themeBox_->addItem(QString(), name);
  textBox_ = new QComboBox(card);
  for (int i = 0; i < 3; ++i) textBox_->addItem(QString(), i);
  scaleBox_ = new QComboBox(card);
  for (int percent : kScales) scaleBox_->addItem(QStringLiteral("%1 %").arg(percent), percent);
  keysEdit_ = new PathEdit(PathEdit::Kind::Folder, card);
  restart_ = new QPushButton(card);
  scaleHint_ = hint(card);
  keysHint_ = hint(card);
  auto* scaleRow = new QVBoxLayout;
  scaleRow->setSpacing(space::kXs);
  auto* scaleLine = new QHBoxLayout;
  scaleLine->addWidget(scaleBox_, 1);
  scaleLine->addWidget(restart_);
  scaleRow->addLayout(scaleLine);
  scaleRow->addWidget(scaleHint_);
  auto* keysRow = new QVBoxLayout;
  keysRow->setSpacing(space::kXs);
  keysRow->addWidget(keysEdit_);
  keysRow->addWidget(keysHint_);
  form->addRow(language_ = label(), languageBox_);
  form->addRow(theme_ = label(), themeBox_);
  form->addRow(text_ = label(), textBox_);
  form->addRow(scale_ = label(), scaleRow);
  form->addRow(keys_ = label(), keysRow);
  language_->setBuddy(languageBox_);
  theme_->setBuddy(themeBox_);
  text_->setBuddy(textBox_);
  scale_->setBuddy(scaleBox_);
  keys_->setBuddy(keysEdit_->findChild<QWidget*>());
  body()->addWidget(card);
  about_ = new QLabel(this);
  about_->setWordWrap(true);
  about_->setMaximumWidth(kFormWidth);
  about_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  setRole(about_, "quiet");
  body()->addWidget(about_);
  body()->addStretch(1);

  languageBox_->setCurrentIndex(languageBox_->findData(Language::current().code()));
  themeBox_->setCurrentIndex(std::max(0, themeBox_->findData(settings::theme())));
  textBox_->setCurrentIndex(settings::textStep());
  scaleBox_->setCurrentIndex(std::max(0, scaleBox_->findData(settings::scalePercent())));
  keysEdit_->setPath(settings::keysFolder());
  restart_->hide();

  connect(languageBox_, &QComboBox::activated, this, [this] {
    const QString code = languageBox_->currentData().toString();
    settings::setLanguage(code);
    Language::current().set(code);
  });
  connect(themeBox_, &QComboBox::activated, this, [this] {
    const QString name = themeBox_->currentData().toString();
    settings::setTheme(name);
    Theme::current().set(name == u"dark" ? Theme::Kind::Dark : name == u"light" ? Theme::Kind::Light : Theme::Kind::System);
  });
  connect(textBox_, &QComboBox::activated, this, [this](int step) {
    settings::setTextStep(step);
    Theme::current().setTextStep(step);
  });
  connect(scaleBox_, &QComboBox::activated, this, [this] {
    restart_->setVisible(scaleBox_->currentData().toInt() != settings::scalePercent() || restart_->isVisible());
    settings::setScalePercent(scaleBox_->currentData().toInt());
  });
  connect(restart_, &QPushButton::clicked, this, &SettingsPage::restartWanted);
  connect(keysEdit_, &PathEdit::changed, this, [this] { settings::setKeysFolder(keysEdit_->path()); });
}

QString SettingsPage::title() const { return tr("Settings"); }
QString SettingsPage::subtitle() const { return tr("Kept for you on this computer; nothing is sent anywhere."); }

QString SettingsPage::help() const {
  return tr(
      "<p>Language, theme and text size change at once. The scale makes everything larger, pictures included, and needs a new start of "
      "Cloister; training goes on meanwhile.</p><p>The keys folder holds your signing keys. The private part is locked with your "
      "passphrase, so a copy of the folder alone signs nothing.</p>");
}

void SettingsPage::refresh() { languageBox_->setCurrentIndex(languageBox_->findData(Language::current().code())); }

void SettingsPage::retranslate() {
  language_->setText(tr("Language"));
  theme_->setText(tr("Theme"));
  text_->setText(tr("Text size"));
  scale_->setText(tr("Scale"));
  keys_->setText(tr("Keys folder"));
  themeBox_->setItemText(0, tr("As the desktop"));
  themeBox_->setItemText(1, tr("Light"));
  themeBox_->setItemText(2, tr("Dark"));
  textBox_->setItemText(0, tr("Normal"));
  textBox_->setItemText(1, tr("Larger"));
  textBox_->setItemText(2, tr("Largest"));
  languageBox_->setAccessibleName(tr("Language"));
  themeBox_->setAccessibleName(tr("Theme"));
  textBox_->setAccessibleName(tr("Text size"));
  scaleBox_->setAccessibleName(tr("Scale"));
  keysEdit_->setName(tr("Keys folder"));
  restart_->setText(tr("Restart Cloister"));
  restart_->setAccessibleName(restart_->text());
  scaleHint_->setText(tr("On top of the desktop's own scaling. Takes effect when Cloister starts again; training goes on meanwhile."));
  keysHint_->setText(tr("Empty: your configuration folder. A USB stick keeps the keys off this computer."));
  about_->setText(tr("Cloister %1 (%2). Free software under GPL-3.0-or-later. This program opens no network connection. "
                     "Models made with it are not medical devices.")
                      .arg(programVersion(), codeCommit()));
}

}  // namespace cloister
