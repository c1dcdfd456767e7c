#include "core/report/report_texts.h"

#include <QLocale>
#include <QStringList>

namespace cloister {
namespace {

struct Row {
  const char* key;
  const char* english;
  const char* chinese;
};

constexpr Row kRows[] = {
    {"lm.title", "Evaluation of a language model", "语言模型评估报告"},
    {"lm.notice", "This model writes text that can be wrong. The figures hold for texts like those of this split.",
     "该模型生成的文本可能有误。以下数值只适用于与此数据划分相似的文本。"},
    {"lm.basis", "%1 texts, %2 judged tokens", "%1 条文本，%2 个受评词元"},
    {"lm.figure", "Figure", "指标"},
    {"lm.value", "This model", "本模型"},
    {"lm.base", "Base model", "基础模型"},
    {"lm.p", "p", "p 值"},
    {"perplexity", "Perplexity", "困惑度"},
    {"loss", "Loss per token", "每词元损失"},
    {"exactMatch", "Exact match (%)", "完全匹配（%）"},
    {"lm.headline.note", "95 % intervals from resampled texts; p compares with the base model on the same texts.",
     "95 % 区间由文本重抽样得出；p 值为同一批文本上与基础模型的比较。"},
    {"lm.answers", "Answers side by side", "回答对照"},
    {"lm.answers.note", "Written greedily. BLEU, chrF and ROUGE compare them with the reference.",
     "贪心生成。BLEU、chrF 和 ROUGE 将其与参考答案比较。"},
    {"lm.prompt", "Prompt", "提示"},
    {"lm.reference", "Reference", "参考答案"},
    {"lm.attacks", "Fragility", "脆弱性"},
    {"lm.attacks.note", "Changes of the words' vectors of at most ε, as a share of a word's vector.",
     "词向量的改变不超过 ε（占词向量的比例）。"},
    {"lm.attack", "Attack", "攻击"},
    {"lm.success", "Success rate", "成功率"},
    {"lm.same", "Still reads the same", "读起来仍相同"},
    {"lm.memory", "Memory", "记忆"},
    {"lm.memory.text",
     "Given the first %1 tokens of %2 training texts, the model repeated %3 of them word for word; the longest run was %4 tokens.",
     "给出 %2 条训练文本的前 %1 个词元后，模型逐字复述了其中 %3 条；最长连续复述 %4 个词元。"},
    {"lm.latency", "Speed", "速度"},
    {"lm.format", "Number format", "数值格式"},
    {"lm.batch", "Batch", "批大小"},
    {"lm.first", "First token (ms)", "首个词元（毫秒）"},
    {"lm.each", "Each further token (ms)", "后续每个词元（毫秒）"},
    {"lm.rate", "Tokens per second", "每秒词元数"},
    {"title", "Evaluation report", "评估报告"},
    {"notice.device", "Not a medical device. Do not base a diagnosis on this model.", "本模型不是医疗器械，不得据此作出诊断。"},
    {"notice.external",
     "The figures hold for patients, devices and sites like those in this test split. Elsewhere they can be much worse: measure again on "
     "your own data before any use.",
     "以下数值只适用于与本测试集相似的患者、设备和机构。换到别处，结果可能差得多：使用前请先用自己的数据重新评估。"},
    {"run", "Run", "训练运行"},
    {"model", "Model", "模型"},
    {"snapshot", "Data snapshot", "数据快照"},
    {"split", "Split", "数据划分"},
    {"split.test", "test", "测试集"},
    {"split.validation", "validation", "验证集"},
    {"created", "Made (UTC)", "生成时间（UTC）"},
    {"basis.patient", "%1 from %2", "%2的 %1"},
    {"basis.group", "%1 in %2", "%2中的 %1"},
    {"count.sample", "%1 samples", "%1 个样本"},
    {"count.sample.one", "%1 sample", "%1 个样本"},
    {"count.patient", "%1 patients", "%1 名患者"},
    {"count.patient.one", "%1 patient", "%1 名患者"},
    {"count.group", "%1 groups", "%1 个分组"},
    {"count.group.one", "%1 group", "%1 个分组"},
    {"per.patient", "by patient", "按患者"},
    {"per.group", "by group", "按分组"},
    {"per.sample", "by sample", "按样本"},
    {"headline", "Results", "主要结果"},
    {"headline.note", "%1; 95 % intervals from %2 resamples %3.", "%1；95 % 区间由%3重抽样 %2 次得出。"},
    {"headline.nonote", "%1; no intervals, because no resampling was asked for.", "%1；未要求重抽样，因此没有区间。"},
    {"headline.perfect",
     "An interval of 1.000–1.000 only says that no error occurred here. Among n independent cases without an error, the true value can "
     "still be as low as about 1 − 3/n.",
     "区间 1.000–1.000 只说明此处没有出错。n 个独立病例均无错误时，真实值仍可能低至约 1 − 3/n。"},
    {"interval", "95 % interval %1–%2", "95 % 区间 %1–%2"},
    {"interval.none", "no interval", "无区间"},
    {"undefined", "not defined", "无定义"},
    {"accuracy", "Accuracy", "准确率"},
    {"balanced_accuracy", "Balanced accuracy", "平衡准确率"},
    {"auc_macro", "AUC", "AUC"},
    {"f1_macro", "F1 (macro)", "F1（宏平均）"},
    {"sensitivity", "Sensitivity", "灵敏度"},
    {"specificity", "Specificity", "特异度"},
    {"ece", "Calibration error (ECE)", "校准误差（ECE）"},
    {"log_loss", "Log loss", "对数损失"},
    {"brier", "Brier score", "Brier 分数"},
    {"ece.note", "lower is better", "越低越好"},
    {"positive", "for %1", "针对 %1"},
    {"macro", "mean over classes", "各类平均"},
    {"classes", "By class", "按类别"},
    {"classes.note", "Each class against the rest.", "每个类别对其余类别。"},
    {"class", "Class", "类别"},
    {"average_precision", "Average precision", "平均精度"},
    {"support", "Samples", "样本数"},
    {"curves", "Quality", "质量"},
    {"roc", "ROC curve", "ROC 曲线"},
    {"roc.x", "1 − specificity", "1 − 特异度"},
    {"roc.y", "Sensitivity", "灵敏度"},
    {"pr", "Precision and recall", "精确率与召回率"},
    {"pr.x", "Recall", "召回率"},
    {"pr.y", "Precision", "精确率"},
    {"calibration", "Calibration", "校准"},
    {"calibration.x", "Stated probability", "模型给出的概率"},
    {"calibration.y", "Share that was right", "实际正确的比例"},
    {"calibration.note", "On the line, stated probabilities come true. Bars show where the samples are.",
     "落在线上表示概率可信。柱形表示样本分布。"},
    {"confusion", "Confusion matrix", "混淆矩阵"},
    {"confusion.true", "True", "真实"},
    {"confusion.predicted", "Predicted", "预测"},
    {"confusion.note", "Count, and share of the row.", "数量及其占该行的比例。"},
    {"groups", "By subgroup", "按子组"},
    {"groups.note",
     "Small groups have wide intervals; a group with one class has no AUC. Differences between groups are a reason to look, not yet a "
     "finding.",
     "小组的区间较宽；只有一个类别的组没有 AUC。组间差异值得查看，但还不是结论。"},
    {"site", "Site", "机构"},
    {"modality", "Modality", "成像方式（Modality）"},
    {"source", "Source", "来源"},
    {"notgiven", "(not given)", "（未注明）"},
    {"patients", "Patients", "患者数"},
    {"groupcount", "Groups", "分组数"},
    {"attacks", "Fragility", "脆弱性"},
    {"attacks.note",
     "How often a right answer turns wrong when every pixel may change by at most ε in the worst direction (adversarial attack). %1 "
     "samples were attacked. This is not noise as a scanner makes it, but it bounds what a small change can do.",
     "允许图像在 ε 以内按最坏方向改变时（对抗攻击），原本正确的答案有多少变错。共攻击 %1 "
     "个样本。这不同于设备噪声，但给出了微小改动所能造成影响的界限。"},
    {"attacks.none", "No attacks were run, so nothing can be said about fragility.", "未进行对抗攻击，因此无法说明脆弱性。"},
    {"attacks.linf", "Every pixel by at most ε (L∞)", "每个像素最多改变 ε（L∞）"},
    {"attacks.l2", "Total length of the change at most ε (L2)", "改动总长度不超过 ε（L2）"},
    {"attacks.x", "ε in grey levels (of 255)", "ε（灰度级，共 255）"},
    {"attacks.x.l2", "ε: length of the change, in grey levels", "ε：改动的长度（灰度级）"},
    {"attacks.y", "Attack success rate", "攻击成功率"},
    {"attack", "Attack", "攻击方法"},
    {"epsilon.grey", "ε, grey levels", "ε（灰度级）"},
    {"epsilon.window", "ε, window units", "ε（窗宽单位）"},
    {"robust", "Robust accuracy", "鲁棒准确率"},
    {"success", "Success rate", "成功率"},
    {"clean", "unchanged", "未改动"},
    {"examples", "Smallest changes found that misled", "找到的足以误导的最小改动"},
    {"examples.note",
     "Left the picture, in the middle the change × 10 (mid-grey: none), right the attacked picture; ε in grey levels. Shown rounded to 8 "
     "bits; the attack "
     "itself is not rounded.",
     "左：原图；中：改动 × 10（中灰表示无改动）；右：攻击后的图；ε 以灰度级计。显示时取整为 8 位，攻击本身不取整。"},
    {"example.caption", "%1 → %2 at ε = %3 (%4)", "ε = %3 时 %1 → %2（%4）"},
    {"sign.zero_gradient",
     "For %1 % of the attempts the gradient was exactly zero: the attack had nothing to follow, and the curve may flatter the model.",
     "%1 % 的尝试中梯度恰好为零：攻击无从下手，曲线可能高估了模型。"},
    {"sign.random_output", "The model's output is random, which misleads gradients: the curve may flatter the model.",
     "模型输出带有随机性，会误导梯度：曲线可能高估了模型。"},
    {"sign.probabilities_given",
     "The model gives probabilities instead of logits, which flattens gradients: the curve may flatter the model.",
     "模型给出的是概率而非 logits，梯度被压平：曲线可能高估了模型。"},
    {"sign.pgd_weaker", "Many steps did less harm than one (%1 points): gradients may be masked, and the curve may flatter the model.",
     "多步攻击的效果不如单步（相差 %1 个百分点）：梯度可能被掩盖，曲线可能高估了模型。"},
    {"sign.not_monotone", "A larger change did less harm than a smaller one (%1 points): gradients may be masked.",
     "更大的改动反而效果更小（相差 %1 个百分点）：梯度可能被掩盖。"},
    {"sign.full_range_resists", "Even with every picture allowed, %1 % stayed right: the attack failed there, the model is not robust.",
     "即使允许任意图像，仍有 %1 % 保持正确：这是攻击失败，而不是模型鲁棒。"},
    {"latency", "Speed", "速度"},
    {"latency.note",
     "Milliseconds for one call of the model on prepared pictures, decoding not included. All rows were timed in turns on %1, while "
     "nothing is known about what else ran there.",
     "对已准备好的图像调用一次模型所需的毫秒数，不含解码。各行在 %1 上交替测量；当时机器上还运行着什么并不清楚。"},
    {"latency.none", "Speed was not measured.", "未测量速度。"},
    {"runtime", "Runtime", "运行时"},
    {"precision", "Precision", "精度"},
    {"batch", "Pictures a call", "每次图像数"},
    {"threads", "Threads", "线程"},
    {"rounds", "Warm-up + timed", "预热 + 计时"},
    {"worst", "Most wrong", "错得最多的样本"},
    {"worst.note", "The samples with the highest loss: look for wrong labels, poor pictures, and what they have in common.",
     "损失最高的样本：请检查标签是否有误、图像质量如何，以及它们的共同点。"},
    {"best", "Most surely right", "最有把握且正确的样本"},
    {"best.note", "Look whether the model could have used something that is not the disease: text, markers, borders.",
     "请查看模型是否可能利用了与疾病无关的线索：文字、标记、边缘。"},
    {"sample.caption", "true %1, called %2, probability of the truth %3", "真实 %1，判为 %2，真实类别概率 %3"},
    {"method", "How this was measured", "测量方法"},
    {"method.decision.two", "%1 when its probability is at least %2", "概率不低于 %2 时判为 %1"},
    {"method.decision.youden", "%1 when its probability is at least %2, chosen on the validation split (Youden)",
     "概率不低于 %2 时判为 %1，该阈值在验证集上按 Youden 指数选定"},
    {"method.decision.many", "the most probable class", "取概率最高的类别"},
    {"method.decision", "Decision", "判定"},
    {"method.intervals", "Intervals", "区间"},
    {"method.intervals.text", "percentile bootstrap, %1 resamples %2, seed %3", "百分位自助法，%2重抽样 %1 次，种子 %3"},
    {"method.ece", "Calibration error", "校准误差"},
    {"method.ece.text", "15 equal bins of the highest probability", "按最高概率等宽分 15 组"},
    {"method.attack", "Attacks", "攻击"},
    {"method.attack.text",
     "FGSM: one step of ε. PGD: %1 steps of %2 ε, %3 random start(s), strongest picture kept; what a smaller ε broke counts as broken for "
     "a larger one. Inside 0…1, normalisation inside the model, batch statistics frozen.",
     "FGSM：一步，步长 ε。PGD：%1 步，步长 %2 ε，随机起点 %3 个，保留最强的一张；较小 ε 已攻破的样本在较大 ε 下也算攻破。像素限制在 0…1 "
     "之间，归一化在模型内部，批统计量冻结。"},
    {"method.window", "Window units", "窗宽单位"},
    {"method.window.text", "ε × %1, the median window width of the attacked samples", "ε × %1（被攻击样本窗宽的中位数）"},
    {"method.machine", "Machine", "机器"},
    {"machine.one", "%1, %2 processor", "%1，%2 个处理器"},
    {"machine.many", "%1, %2 processors", "%1，%2 个处理器"},
    {"method.program", "Program", "程序"},
    {"method.time", "Time taken", "用时"},
    {"seconds", "%1 s", "%1 秒"},
    {"input", "Input", "输入"},
    {"input.text", "%1 × %1 pixels, %2", "%1 × %1 像素，%2"},
    {"input.1", "grey", "灰度"},
    {"input.3", "colour", "彩色"},
    {"footer", "Made by Cloister %1 from report.json beside this file, which holds every figure.",
     "由 Cloister %1 根据同目录下的 report.json 生成；全部数值均在其中。"},
};

}  // namespace

QString ReportTexts::operator()(const QString& key) const {
  for (const Row& r : kRows)
    if (key == QLatin1String(r.key)) return QString::fromUtf8(chinese_ ? r.chinese : r.english);
  return key;
}

QStringList ReportTexts::keys() {
  QStringList out;
  for (const Row& r : kRows) out << QLatin1String(r.key);
  return out;
}

QString ReportTexts::counted(const QString& noun, qint64 n) const {
  return (*this)("count." + noun + (n == 1 ? ".one" : "")).arg(count(n));
}

QString ReportTexts::count(qint64 n) const { return QLocale(chinese_ ? QLocale::Chinese : QLocale::English).toString(n); }

}  // namespace cloister
