<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>Cli</name>
    <message>
        <source>Check the whole chain of audit entries, also against a checkpoint kept elsewhere.</source>
        <translation>检查整条审计记录链，也可对照另存的检查点。</translation>
    </message>
    <message>
        <source>JSON file with a checkpoint {&quot;size&quot;,&quot;head&quot;} from earlier.</source>
        <translation>以前保存的检查点 JSON 文件 {&quot;size&quot;,&quot;head&quot;}。</translation>
    </message>
    <message>
        <source>A bundle signed by one of this user&apos;s keys: its checkpoint is used.</source>
        <translation>由本用户的密钥签名的模型包：使用其中的检查点。</translation>
    </message>
    <message>
        <source>The audit log is intact. Entries: %1.</source>
        <translation>审计日志完好：共 %1 条记录。</translation>
    </message>
    <message>
        <source>The audit log is broken: %1.</source>
        <translation>审计日志已损坏：%1。</translation>
    </message>
    <message>
        <source>Times the clock was set back: %1.</source>
        <translation>时钟曾被回拨 %1 次。</translation>
    </message>
    <message>
        <source>Without a checkpoint from elsewhere nobody can tell whether the newest entries were cut off.</source>
        <translation>没有另存的检查点，就无法判断最新的记录是否被截去。</translation>
    </message>
    <message>
        <source>Show audit entries: when, who, what.</source>
        <translation>显示审计记录：时间、人员、操作。</translation>
    </message>
    <message>
        <source>First entry to show; the newest ones otherwise.</source>
        <translation>从第几条开始显示；默认显示最新的。</translation>
    </message>
    <message>
        <source>How many.</source>
        <translation>条数。</translation>
    </message>
    <message>
        <source>Put a run&apos;s exported model with its papers into a signed folder.</source>
        <translation>把运行导出的模型连同文档放入一个已签名的文件夹。</translation>
    </message>
    <message>
        <source>The run; the newest otherwise.</source>
        <translation>运行；默认取最新的。</translation>
    </message>
    <message>
        <source>Which exported model (fp32, fp16, int8-dynamic, int8-static); the recommended one otherwise.</source>
        <translation>选用哪个导出模型(fp32、fp16、int8-dynamic、int8-static)；默认取推荐的。</translation>
    </message>
    <message>
        <source>Name of the signing key; may be left out when there is only one.</source>
        <translation>签名密钥的名称；只有一个密钥时可省略。</translation>
    </message>
    <message>
        <source>File whose first line is the passphrase; asked on a terminal otherwise.</source>
        <translation>第一行为口令的文件；否则在终端询问。</translation>
    </message>
    <message>
        <source>Folder to make; bundles/RUN in the project otherwise.</source>
        <translation>要新建的文件夹；默认为项目中的 bundles/RUN。</translation>
    </message>
    <message>
        <source>Name of the model for people; the folder&apos;s otherwise.</source>
        <translation>供人阅读的模型名称；默认取文件夹名。</translation>
    </message>
    <message>
        <source>What the model is for; goes into the model card.</source>
        <translation>模型的用途；写入模型卡。</translation>
    </message>
    <message>
        <source>What it is not good for; goes into the model card.</source>
        <translation>模型的局限；写入模型卡。</translation>
    </message>
    <message>
        <source>Passphrase of %1</source>
        <translation>%1 的口令</translation>
    </message>
    <message>
        <source>Bundle: %1</source>
        <translation>模型包：%1</translation>
    </message>
    <message>
        <source>Check it anywhere: cloister-cli bundle verify DIR --public-key FILE</source>
        <translation>可在任何机器上验证：cloister-cli bundle verify DIR --public-key FILE</translation>
    </message>
    <message>
        <source>signing key</source>
        <translation>签名密钥</translation>
    </message>
    <message>
        <source>Make one: cloister-cli keys create --name NAME</source>
        <translation>新建一个：cloister-cli keys create --name NAME</translation>
    </message>
    <message>
        <source>Check a bundle&apos;s signature, signer and every file. Needs no project.</source>
        <translation>检查模型包的签名、签名者和每个文件。不需要项目。</translation>
    </message>
    <message>
        <source>PEM file of a trusted key; may stand several times. Without it and --roots: this user&apos;s own keys.</source>
        <translation>受信任公钥的 PEM 文件；可重复。未给出且无 --roots 时使用本用户自己的密钥。</translation>
    </message>
    <message>
        <source>PEM file of trusted certificate authorities.</source>
        <translation>受信任证书颁发机构的 PEM 文件。</translation>
    </message>
    <message>
        <source>The signature file when it is not DIR/model.sig.</source>
        <translation>签名文件不是 DIR/model.sig 时在此指定。</translation>
    </message>
    <message>
        <source>Also write the very bytes that were verified to this new folder; open that one.</source>
        <translation>同时把已验证的字节原样写入这个新文件夹；请使用该文件夹。</translation>
    </message>
    <message>
        <source>Accept files that are not signed.</source>
        <translation>接受未签名的文件。</translation>
    </message>
    <message>
        <source>Accept files that the signer left out on purpose.</source>
        <translation>接受签名者有意排除的文件。</translation>
    </message>
    <message>
        <source>Accept a certificate that leads to no trusted root.</source>
        <translation>接受无法追溯到受信任根的证书。</translation>
    </message>
    <message>
        <source>Refuse a certificate that is out of date.</source>
        <translation>拒绝已过期的证书。</translation>
    </message>
    <message>
        <source>Model %1, version %2</source>
        <translation>模型 %1，版本 %2</translation>
    </message>
    <message>
        <source>The verified files were copied to %1</source>
        <translation>已验证的文件已复制到 %1</translation>
    </message>
    <message>
        <source>Looks for what would spoil a training: duplicates, imbalance, one patient on both sides …</source>
        <translation>查找会损害训练的问题：重复、不均衡、同一患者出现在两侧……</translation>
    </message>
    <message>
        <source>Nothing to remark. Samples checked: %1.</source>
        <translation>%1 个样本没有问题。</translation>
    </message>
    <message>
        <source>What must stay on one side: patient, site, study, series, or sample (needs --override-reason).</source>
        <translation>哪些内容必须留在同一侧：patient、site、study、series 或 sample（需 --override-reason）。</translation>
    </message>
    <message>
        <source>The same seed gives the same split.</source>
        <translation>相同的种子得到相同的划分。</translation>
    </message>
    <message>
        <source>Do not balance the labels between the sides.</source>
        <translation>不在各部分之间平衡标签。</translation>
    </message>
    <message>
        <source>Why a rule may be broken; it is kept in the snapshot.</source>
        <translation>允许违反规则的理由；保存在快照中。</translation>
    </message>
    <message>
        <source>Side of the square image in pixels.</source>
        <translation>正方形图像的边长（像素）。</translation>
    </message>
    <message>
        <source>1 for grey, 3 for colour.</source>
        <translation>1 为灰度，3 为彩色。</translation>
    </message>
    <message>
        <source>Grey window: voi (as stored), minmax, percentile, or &quot;center,width&quot;.</source>
        <translation>灰度窗：voi（按文件所存）、minmax、percentile 或“窗位，窗宽”。</translation>
    </message>
    <message>
        <source>letterbox, stretch or crop.</source>
        <translation>letterbox（加边）、stretch（拉伸）或 crop（裁剪）。</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>警告</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>提示</translation>
    </message>
    <message>
        <source>Writes a snapshot as files, table and digest.</source>
        <translation>把快照写成文件、表格和摘要。</translation>
    </message>
    <message>
        <source>The folder to make.</source>
        <translation>要新建的文件夹。</translation>
    </message>
    <message>
        <source>Digest or its beginning (default: the newest).</source>
        <translation>摘要或其开头部分（默认：最新的）。</translation>
    </message>
    <message>
        <source>a folder to make</source>
        <translation>要新建的文件夹</translation>
    </message>
    <message>
        <source>Snapshot %1 written to %2</source>
        <translation>快照 %1 已写入 %2</translation>
    </message>
    <message>
        <source>Takes an exported snapshot into the project, under the same digest.</source>
        <translation>把导出的快照以相同摘要收入项目。</translation>
    </message>
    <message>
        <source>Snapshot %1: samples: %2</source>
        <translation>快照 %1：%2 个样本</translation>
    </message>
    <message>
        <source>Accepted %1, refused %2, duplicates %3</source>
        <translation>接受 %1，拒绝 %2，重复 %3</translation>
    </message>
    <message>
        <source>Label table: rows: %1, matched: %2, without a sample: %3, conflicts: %4; samples without a label: %5</source>
        <translation>标签表：%1 行，匹配 %2，无对应样本 %3，冲突 %4；%5 个样本没有标签</translation>
    </message>
    <message>
        <source>  … and %1 more</source>
        <translation>  ……还有 %1 项</translation>
    </message>
    <message>
        <source>A table (CSV) with a row a file.</source>
        <translation>每个文件一行的表格(CSV)。</translation>
    </message>
    <message>
        <source>Its column that names the file (default: file, path …).</source>
        <translation>表中文件名所在列（默认：file、path ……）。</translation>
    </message>
    <message>
        <source>Its column with the label (default: label).</source>
        <translation>表中标签所在列（默认：label）。</translation>
    </message>
    <message>
        <source>Its column with the patient (default: patient_id, patient).</source>
        <translation>表中患者所在列（默认：patient_id、patient）。</translation>
    </message>
    <message>
        <source>Its column with the site (default: site).</source>
        <translation>表中机构所在列（默认：site）。</translation>
    </message>
    <message>
        <source>An option of the source, KEY=VALUE; may be repeated.</source>
        <translation>来源的一个选项 KEY=VALUE；可重复。</translation>
    </message>
    <message>
        <source>Processes that decode (0: one per processor).</source>
        <translation>解码进程数（0：每个处理器一个）。</translation>
    </message>
    <message>
        <source>Start anew also when such an import was interrupted.</source>
        <translation>即使同样的导入曾被中断，也从头开始。</translation>
    </message>
    <message>
        <source>%1 accepted, %2 refused, %3 files/s</source>
        <translation>接受 %1，拒绝 %2,%3 个文件/秒</translation>
    </message>
    <message>
        <source>Going on with import %1.</source>
        <translation>继续第 %1 次导入。</translation>
    </message>
    <message>
        <source>Sets labels from a table or by hand, excludes samples, and takes changes back.</source>
        <translation>由表格或手工设置标签、排除样本、撤销更改。</translation>
    </message>
    <message>
        <source>The table&apos;s column that names the file.</source>
        <translation>表中文件名所在列。</translation>
    </message>
    <message>
        <source>The table&apos;s column with the label.</source>
        <translation>表中标签所在列。</translation>
    </message>
    <message>
        <source>The table&apos;s column with the patient.</source>
        <translation>表中患者所在列。</translation>
    </message>
    <message>
        <source>The table&apos;s column with the site.</source>
        <translation>表中机构所在列。</translation>
    </message>
    <message>
        <source>Gives the named samples this label; empty takes it away.</source>
        <translation>为所列样本设置此标签；留空则去掉标签。</translation>
    </message>
    <message>
        <source>Leaves the named samples out of snapshots.</source>
        <translation>把所列样本排除在快照之外。</translation>
    </message>
    <message>
        <source>Takes the named samples in again.</source>
        <translation>重新纳入所列样本。</translation>
    </message>
    <message>
        <source>Takes the last change back.</source>
        <translation>撤销上一次更改。</translation>
    </message>
    <message>
        <source>Does it again.</source>
        <translation>重做。</translation>
    </message>
    <message>
        <source>arguments</source>
        <translation>参数</translation>
    </message>
    <message>
        <source>one table, or --set, --exclude, --include with samples, or --undo, --redo</source>
        <translation>一个表格，或 --set、--exclude、--include 加样本，或 --undo、--redo</translation>
    </message>
    <message>
        <source>Undone: %1</source>
        <translation>已撤销：%1</translation>
    </message>
    <message>
        <source>Done again: %1</source>
        <translation>已重做：%1</translation>
    </message>
    <message>
        <source>Rows: %1, matched: %2, samples changed: %3, rows without a sample: %4, conflicts: %5</source>
        <translation>%1 行，匹配 %2，更改 %3 个样本，%4 行无对应样本，冲突 %5</translation>
    </message>
    <message>
        <source>Samples changed: %1</source>
        <translation>已更改 %1 个样本</translation>
    </message>
    <message>
        <source>Shows where a sample came from and where it went: import, labels, snapshots, runs, bundles.</source>
        <translation>显示样本的来龙去脉：导入、标签、快照、运行、模型包。</translation>
    </message>
    <message>
        <source>Sample   %1 (SHA-256 %2)</source>
        <translation>样本   %1(SHA-256 %2)</translation>
    </message>
    <message>
        <source>File     %1</source>
        <translation>文件   %1</translation>
    </message>
    <message>
        <source>Import   %1, %2, %3</source>
        <translation>导入   %1,%2,%3</translation>
    </message>
    <message>
        <source>Label    %1 (%2)</source>
        <translation>标签   %1(%2)</translation>
    </message>
    <message>
        <source>Change   %1 %2: %3 &quot;%4&quot; → &quot;%5&quot; (%6)%7</source>
        <translation>更改   %1 %2:%3 “%4” → “%5”(%6)%7</translation>
    </message>
    <message>
        <source>, undone</source>
        <translation>，已撤销</translation>
    </message>
    <message>
        <source>Snapshot %1: %2</source>
        <translation>快照 %1：%2</translation>
    </message>
    <message>
        <source>Run      %1: %2, %3</source>
        <translation>运行   %1:%2,%3</translation>
    </message>
    <message>
        <source>Bundle   %1: %2</source>
        <translation>模型包 %1:%2</translation>
    </message>
    <message>
        <source>Lists samples, or with --refused the files that were not taken.</source>
        <translation>列出样本；加 --refused 则列出未被接受的文件。</translation>
    </message>
    <message>
        <source>Part of key, patient or label.</source>
        <translation>键、患者或标签的一部分。</translation>
    </message>
    <message>
        <source>This label.</source>
        <translation>此标签。</translation>
    </message>
    <message>
        <source>Without a label.</source>
        <translation>没有标签的。</translation>
    </message>
    <message>
        <source>This patient.</source>
        <translation>此患者。</translation>
    </message>
    <message>
        <source>This site.</source>
        <translation>此机构。</translation>
    </message>
    <message>
        <source>This modality.</source>
        <translation>此成像方式。</translation>
    </message>
    <message>
        <source>Accepted with this warning; * for any.</source>
        <translation>带此警告而被接受的；* 表示任意。</translation>
    </message>
    <message>
        <source>train, validation or test of the snapshot.</source>
        <translation>快照中的 train、validation 或 test。</translation>
    </message>
    <message>
        <source>Digest or its beginning (default: the newest, with --split).</source>
        <translation>摘要或其开头部分（默认：最新的，与 --split 合用）。</translation>
    </message>
    <message>
        <source>Without excluded samples.</source>
        <translation>不含被排除的样本。</translation>
    </message>
    <message>
        <source>The refused files instead.</source>
        <translation>改为列出被拒绝的文件。</translation>
    </message>
    <message>
        <source>Start after this id.</source>
        <translation>从此编号之后开始。</translation>
    </message>
    <message>
        <source>At most so many.</source>
        <translation>最多条数。</translation>
    </message>
    <message>
        <source>Snapshot %1: samples: %2, groups: %3; %4</source>
        <translation>快照 %1：%2 个样本，%3 个组；%4</translation>
    </message>
    <message>
        <source>Make synthetic chest radiographs as DICOM files</source>
        <translation>生成合成胸片（DICOM 文件）</translation>
    </message>
    <message>
        <source>Create a project</source>
        <translation>新建项目</translation>
    </message>
    <message>
        <source>Import the files with their labels and patients</source>
        <translation>导入文件及其标签和患者</translation>
    </message>
    <message>
        <source>Check the data</source>
        <translation>检查数据</translation>
    </message>
    <message>
        <source>Freeze a snapshot, split by patient</source>
        <translation>冻结快照，按患者划分</translation>
    </message>
    <message>
        <source>Train the small network</source>
        <translation>训练小型网络</translation>
    </message>
    <message>
        <source>Evaluate on the frozen test split</source>
        <translation>在冻结的测试集上评估</translation>
    </message>
    <message>
        <source>Export as ONNX and quantize</source>
        <translation>导出为 ONNX 并量化</translation>
    </message>
    <message>
        <source>Make a key for practice</source>
        <translation>生成练习用密钥</translation>
    </message>
    <message>
        <source>Write its public half</source>
        <translation>写出其公钥</translation>
    </message>
    <message>
        <source>Sign a bundle</source>
        <translation>签名模型包</translation>
    </message>
    <message>
        <source>Verify it as the receiver does</source>
        <translation>像接收方那样验证</translation>
    </message>
    <message>
        <source>Go the whole way once, from sample files to a verified bundle.</source>
        <translation>从样本文件到已验证的模型包，完整走一遍。</translation>
    </message>
    <message>
        <source>Folder to make; a number is added when it is there already.</source>
        <translation>要新建的文件夹；已存在时自动加编号。</translation>
    </message>
    <message>
        <source>Folder with the test data sets: use real radiographs instead of synthetic ones.</source>
        <translation>测试数据集所在文件夹：用真实胸片代替合成胸片。</translation>
    </message>
    <message>
        <source>Synthetic patients.</source>
        <translation>合成患者数。</translation>
    </message>
    <message>
        <source>Project: %1</source>
        <translation>项目：%1</translation>
    </message>
    <message>
        <source>Report:  %1</source>
        <translation>报告：%1</translation>
    </message>
    <message>
        <source>Bundle:  %1 (signed, verified)</source>
        <translation>模型包：%1（已签名、已验证）</translation>
    </message>
    <message>
        <source>Measure a trained model on the frozen test split, with intervals, attacks and latency: pictures called right, or perplexity and answers.</source>
        <translation>在冻结的测试集上评估训练好的模型，给出区间、攻击和延迟：图像的判对率，或困惑度与回答。</translation>
    </message>
    <message>
        <source>The run; otherwise the newest trained one.</source>
        <translation>运行；默认取最新的已训练运行。</translation>
    </message>
    <message>
        <source>Leave out FGSM and PGD.</source>
        <translation>不做 FGSM 和 PGD 攻击。</translation>
    </message>
    <message>
        <source>How many test samples are attacked.</source>
        <translation>受攻击的测试样本数。</translation>
    </message>
    <message>
        <source>Steps of PGD.</source>
        <translation>PGD 的步数。</translation>
    </message>
    <message>
        <source>Random starts of PGD.</source>
        <translation>PGD 的随机起点数。</translation>
    </message>
    <message>
        <source>Leave out the timings.</source>
        <translation>不测延迟。</translation>
    </message>
    <message>
        <source>Probability from which a class counts as found.</source>
        <translation>判定为某类所需的概率。</translation>
    </message>
    <message>
        <source>Report: %1</source>
        <translation>报告：%1</translation>
    </message>
    <message>
        <source>Write a trained model as ONNX (a language model also as GGUF or Hugging Face folder), quantized as asked, and compare the candidates.</source>
        <translation>将训练好的模型写成 ONNX（语言模型还可写成 GGUF 或 Hugging Face 文件夹），按要求量化，并比较各候选。</translation>
    </message>
    <message>
        <source>How static-int8 chooses ranges: minmax, entropy or percentile.</source>
        <translation>static-int8 选取范围的方式：minmax、entropy 或 percentile。</translation>
    </message>
    <message>
        <source>Layers stay in float where the accuracy would fall by more than this.</source>
        <translation>准确率下降超过此值的层保持浮点。</translation>
    </message>
    <message>
        <source>Also copy the files into this new or empty folder.</source>
        <translation>同时把文件复制到这个新的或空的文件夹。</translation>
    </message>
    <message>
        <source>accuracy</source>
        <translation>准确率</translation>
    </message>
    <message>
        <source>largest difference</source>
        <translation>最大差异</translation>
    </message>
    <message>
        <source>same token %1 of %2</source>
        <translation>相同词元 %1 / %2</translation>
    </message>
    <message>
        <source>perplexity %1, %2 % above the model&apos;s</source>
        <translation>困惑度 %1，比原模型高 %2 %</translation>
    </message>
    <message>
        <source>Language models: largest allowed rise of perplexity, a share.</source>
        <translation>语言模型：允许的困惑度最大升幅（比例）。</translation>
    </message>
    <message>
        <source>Language models: weights that share a scale, 16 to 256.</source>
        <translation>语言模型：共用一个缩放系数的权重数，16 到 256。</translation>
    </message>
    <message>
        <source>Language models in int8 and int4: blocks or float, what the tokens' vectors are kept in.</source>
        <translation>语言模型的 int8 和 int4：词元向量按 blocks（分块）还是 float（浮点）保存。</translation>
    </message>
    <message>
        <source>none, fp16, dynamic-int8 or static-int8; of language models none, fp16, dynamic-int8, int8, int4, for gguf fp16, q8_0 and q4_0, for huggingface model and adapter. May be given again, all by default.</source>
        <translation>none、fp16、dynamic-int8 或 static-int8；语言模型为 none、fp16、dynamic-int8、int8、int4，gguf 为 fp16、q8_0 和 q4_0，huggingface 为 model 和 adapter。可多次给出，默认全部。</translation>
    </message>
    <message>
        <source>What the model is for: onnx; of language models also onnx-genai, gguf and huggingface (the model's folder, and the adapter alone).</source>
        <translation>模型的用途：onnx；语言模型还可选 onnx-genai、gguf 和 huggingface（模型文件夹，以及单独的适配器）。</translation>
    </message>
    <message>
        <source>Training texts repeated word for word: %1 of %2</source>
        <translation>逐字复述的训练文本：%1 / %2</translation>
    </message>
    <message>
        <source>base %1</source>
        <translation>基础模型 %1</translation>
    </message>
    <message>
        <source>There is no test split; the figures are from the validation split.</source>
        <translation>没有测试集；以下数值来自验证集。</translation>
    </message>
    <message>
        <source>Language models: longest answer, in tokens.</source>
        <translation>语言模型：回答的最大长度（词元数）。</translation>
    </message>
    <message>
        <source>Language models: how many answers are written and scored, at most.</source>
        <translation>语言模型：最多生成并评分多少条回答。</translation>
    </message>
    <message>
        <source>Attack strengths with commas: grey levels of 255; of language models shares of a word&apos;s vector.</source>
        <translation>攻击强度，用逗号分隔：图像为 255 级灰度，语言模型为词向量大小的比例。</translation>
    </message>
    <message>
        <source>Recommended: %1. %2</source>
        <translation>推荐：%1。%2</translation>
    </message>
    <message>
        <source>Files: %1</source>
        <translation>文件：%1</translation>
    </message>
    <message>
        <source>Exit codes: 0 done, 1 failed, 2 usage, 3 bad input, 4 refused by policy, 130 stopped.</source>
        <translation>退出码：0 完成，1 失败，2 用法错误，3 输入有误，4 被策略拒绝，130 已停止。</translation>
    </message>
    <message>
        <source>The project folder; otherwise $CLOISTER_PROJECT, otherwise the current folder.</source>
        <translation>项目文件夹；否则取 $CLOISTER_PROJECT，再否则取当前文件夹。</translation>
    </message>
    <message>
        <source>Print one JSON object on standard output and nothing else.</source>
        <translation>只在标准输出打印一个 JSON 对象。</translation>
    </message>
    <message>
        <source>Language of sentences: en or zh_CN.</source>
        <translation>语句的语言：en 或 zh_CN。</translation>
    </message>
    <message>
        <source>Show this text.</source>
        <translation>显示本说明。</translation>
    </message>
    <message>
        <source>Usage:</source>
        <translation>用法：</translation>
    </message>
    <message>
        <source>[options]</source>
        <translation>[选项]</translation>
    </message>
    <message>
        <source>Options:</source>
        <translation>选项：</translation>
    </message>
    <message>
        <source>Example:</source>
        <translation>示例：</translation>
    </message>
    <message>
        <source>Examples:</source>
        <translation>示例：</translation>
    </message>
    <message>
        <source>VERB [options]</source>
        <translation>命令 [选项]</translation>
    </message>
    <message>
        <source>Cloister trains, evaluates and hands out models in closed networks.</source>
        <translation>Cloister 在封闭网络中训练、评估并交付模型。</translation>
    </message>
    <message>
        <source>Each verb explains itself: cloister-cli VERB --help</source>
        <translation>每个命令都有说明：cloister-cli VERB --help</translation>
    </message>
    <message>
        <source>Name of the key.</source>
        <translation>密钥名称。</translation>
    </message>
    <message>
        <source>Also record it in the audit log of this project.</source>
        <translation>同时记入此项目的审计日志。</translation>
    </message>
    <message>
        <source>Key %1, %2, made %3</source>
        <translation>密钥 %1,%2，生成于 %3</translation>
    </message>
    <message>
        <source>Fingerprint: %1</source>
        <translation>指纹：%1</translation>
    </message>
    <message>
        <source>With a certificate chain.</source>
        <translation>带证书链。</translation>
    </message>
    <message>
        <source>Make a signing key behind a passphrase.</source>
        <translation>生成受口令保护的签名密钥。</translation>
    </message>
    <message>
        <source>P-256, P-384 or P-521.</source>
        <translation>P-256、P-384 或 P-521。</translation>
    </message>
    <message>
        <source>New passphrase</source>
        <translation>新口令</translation>
    </message>
    <message>
        <source>Take over an EC private key from a PEM file, with its certificate chain if there is one.</source>
        <translation>从 PEM 文件接收 EC 私钥，若有证书链则一并接收。</translation>
    </message>
    <message>
        <source>PEM file of the private key.</source>
        <translation>私钥的 PEM 文件。</translation>
    </message>
    <message>
        <source>File whose first line opens the PEM file.</source>
        <translation>第一行为 PEM 文件口令的文件。</translation>
    </message>
    <message>
        <source>PEM file, the key&apos;s own certificate first.</source>
        <translation>PEM 文件，密钥自己的证书在最前。</translation>
    </message>
    <message>
        <source>List the signing keys.</source>
        <translation>列出签名密钥。</translation>
    </message>
    <message>
        <source>There are no keys yet. Make one: cloister-cli keys create --name NAME</source>
        <translation>还没有密钥。新建一个：cloister-cli keys create --name NAME</translation>
    </message>
    <message>
        <source>Show one key&apos;s curve, age and fingerprint.</source>
        <translation>显示密钥的曲线、生成时间和指纹。</translation>
    </message>
    <message>
        <source>Write the public half as PEM, for those who verify.</source>
        <translation>把公钥写成 PEM，交给验证方。</translation>
    </message>
    <message>
        <source>File to write; standard output otherwise.</source>
        <translation>要写入的文件；否则写到标准输出。</translation>
    </message>
    <message>
        <source>Written to %1. Its fingerprint, to compare by telephone: %2</source>
        <translation>已写入 %1。指纹（可电话核对）：%2</translation>
    </message>
    <message>
        <source>Remove a key for good. What it signed stays valid.</source>
        <translation>永久删除密钥。它签过的内容仍然有效。</translation>
    </message>
    <message>
        <source>Key %1 was removed.</source>
        <translation>密钥 %1 已删除。</translation>
    </message>
    <message>
        <source>Put a key behind another passphrase.</source>
        <translation>更换密钥的口令。</translation>
    </message>
    <message>
        <source>File whose first line is the new passphrase.</source>
        <translation>第一行为新口令的文件。</translation>
    </message>
    <message>
        <source>Present passphrase</source>
        <translation>当前口令</translation>
    </message>
    <message>
        <source>The passphrase of %1 was changed.</source>
        <translation>%1 的口令已更换。</translation>
    </message>
    <message>
        <source>All verbs: cloister-cli --help</source>
        <translation>所有命令：cloister-cli --help</translation>
    </message>
    <message>
        <source>Did you mean: %1?</source>
        <translation>是否想输入：%1?</translation>
    </message>
    <message>
        <source>verb</source>
        <translation>命令</translation>
    </message>
    <message>
        <source>command line</source>
        <translation>命令行</translation>
    </message>
    <message>
        <source>option</source>
        <translation>选项</translation>
    </message>
    <message>
        <source>How to use it: cloister-cli %1 --help</source>
        <translation>用法：cloister-cli %1 --help</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>The verb comes first: cloister-cli VERB [options]</source>
        <translation>命令写在最前：cloister-cli VERB [选项]</translation>
    </message>
    <message>
        <source>Makes a new project folder.</source>
        <translation>新建项目文件夹。</translation>
    </message>
    <message>
        <source>Name of the project (default: the folder&apos;s name).</source>
        <translation>项目名称（默认取文件夹名）。</translation>
    </message>
    <message>
        <source>Project %1 made in %2. Next: cloister-cli data import</source>
        <translation>项目 %1 已建在 %2。下一步：cloister-cli data import</translation>
    </message>
    <message>
        <source>Shows what a project holds: samples, imports, snapshots, runs and bundles.</source>
        <translation>显示项目内容：样本、导入、快照、运行和模型包。</translation>
    </message>
    <message>
        <source>Samples %1, labelled %2, patients %3, excluded %4, refused %5, duplicates %6</source>
        <translation>样本 %1，已标注 %2，患者 %3，已排除 %4，被拒绝 %5，重复 %6</translation>
    </message>
    <message>
        <source>Labels: %1</source>
        <translation>标签：%1</translation>
    </message>
    <message>
        <source>Sites: %1</source>
        <translation>机构：%1</translation>
    </message>
    <message>
        <source>Snapshot %1: samples: %2 (%3), %4</source>
        <translation>快照 %1：%2 个样本（%3），%4</translation>
    </message>
    <message>
        <source>Run %1: %2, %3</source>
        <translation>运行 %1:%2,%3</translation>
    </message>
    <message>
        <source>Bundle %1</source>
        <translation>模型包 %1</translation>
    </message>
    <message>
        <source>Warning: %1</source>
        <translation>警告：%1</translation>
    </message>
    <message>
        <source>preparing samples</source>
        <translation>正在准备样本</translation>
    </message>
    <message>
        <source>%1 has said nothing for %2; it may hang. cloister-cli runs stop ends it.</source>
        <translation>%1 已有 %2 没有任何消息，可能已卡住。可用 cloister-cli runs stop 结束。</translation>
    </message>
    <message>
        <source>Stopping %1 after a checkpoint; once more ends this program at once, the run goes on stopping.</source>
        <translation>正在保存检查点并停止 %1；再按一次立即结束本程序，运行会继续停止。</translation>
    </message>
    <message>
        <source>%1 waits for the run before it.</source>
        <translation>%1 正在等待前一个运行。</translation>
    </message>
    <message>
        <source>List the project&apos;s runs, newest first.</source>
        <translation>列出项目的运行，最新的在前。</translation>
    </message>
    <message>
        <source>No runs yet: cloister-cli train starts one.</source>
        <translation>还没有运行：用 cloister-cli train 开始。</translation>
    </message>
    <message>
        <source>Show a run: recipe, state, best result, evaluation and export.</source>
        <translation>显示运行：配方、状态、最佳结果、评估和导出。</translation>
    </message>
    <message>
        <source>automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Watch a run until it ends; Ctrl+C leaves it running.</source>
        <translation>观察运行直到结束；Ctrl+C 不会停止运行。</translation>
    </message>
    <message>
        <source>Ask a run to stop after a checkpoint, and wait for it.</source>
        <translation>请求运行在保存检查点后停止，并等待。</translation>
    </message>
    <message>
        <source>Return at once.</source>
        <translation>立即返回。</translation>
    </message>
    <message>
        <source>Go on with a stopped or failed run from its newest checkpoint.</source>
        <translation>从最新检查点继续已停止或失败的运行。</translation>
    </message>
    <message>
        <source>Return once the worker runs; it goes on by itself.</source>
        <translation>工作进程启动后即返回；它会自行继续。</translation>
    </message>
    <message>
        <source>Show processor, memory, disk, graphics cards and InfiniBand, and what they are good for.</source>
        <translation>显示处理器、内存、磁盘、显卡和 InfiniBand，以及它们适合做什么。</translation>
    </message>
    <message>
        <source>Also write and read a file of 256 MB in the project&apos;s folder.</source>
        <translation>同时在项目文件夹中读写一个 256 MB 的文件。</translation>
    </message>
    <message>
        <source>Processor: %1, cores: %2, threads: %3</source>
        <translation>处理器：%1，%2 核，%3 线程</translation>
    </message>
    <message>
        <source>Instructions: %1</source>
        <translation>指令集：%1</translation>
    </message>
    <message>
        <source>Memory: %1, %2 free</source>
        <translation>内存：%1，空闲 %2</translation>
    </message>
    <message>
        <source>Disk: %1 free of %2 at %3</source>
        <translation>磁盘：%3 上空闲 %1，共 %2</translation>
    </message>
    <message>
        <source>Disk speed: writes %1/s, reads %2/s</source>
        <translation>磁盘速度：写 %1/秒，读 %2/秒</translation>
    </message>
    <message>
        <source>Graphics card: %1, %2, driver %3</source>
        <translation>显卡：%1，%2，驱动 %3</translation>
    </message>
    <message>
        <source>CUDA: graphics cards that can train: %1</source>
        <translation>CUDA：%1 块显卡可用于训练</translation>
    </message>
    <message>
        <source>CUDA: %1</source>
        <translation>CUDA：%1</translation>
    </message>
    <message>
        <source>InfiniBand: %1 %2, %3 Gbit/s</source>
        <translation>InfiniBand:%1 %2,%3 Gbit/s</translation>
    </message>
    <message>
        <source>Digest, or its beginning; otherwise the newest snapshot.</source>
        <translation>摘要或其开头部分；默认取最新快照。</translation>
    </message>
    <message>
        <source>One parameter of the family; may be given again. --list-parameters shows them.</source>
        <translation>该系列的一个参数；可重复。--list-parameters 可列出全部。</translation>
    </message>
    <message>
        <source>Start from this safetensors file instead of from scratch.</source>
        <translation>从此 safetensors 文件开始，而不是从零开始。</translation>
    </message>
    <message>
        <source>Seed of every random choice.</source>
        <translation>所有随机选择的种子。</translation>
    </message>
    <message>
        <source>Processes that train together on this machine.</source>
        <translation>在本机上共同训练的进程数。</translation>
    </message>
    <message>
        <source>Train a model on a snapshot and follow it to its end.</source>
        <translation>在快照上训练模型并跟踪到结束。</translation>
    </message>
    <message>
        <source>Wait for a run that is active instead of being refused.</source>
        <translation>等待正在进行的运行，而不是被拒绝。</translation>
    </message>
    <message>
        <source>Start although memory or disk will probably not suffice.</source>
        <translation>即使内存或磁盘可能不足也开始。</translation>
    </message>
    <message>
        <source>Show the family&apos;s parameters and their defaults.</source>
        <translation>显示该系列的参数及默认值。</translation>
    </message>
    <message>
        <source>Say what a recipe needs of memory and disk, and whether this machine has it.</source>
        <translation>说明配方所需的内存和磁盘，以及本机是否满足。</translation>
    </message>
    <message>
        <source>Memory: %1 of %2 free</source>
        <translation>内存：需要 %1，空闲 %2</translation>
    </message>
    <message>
        <source>Disk: %1 of %2 free</source>
        <translation>磁盘：需要 %1，空闲 %2</translation>
    </message>
    <message>
        <source>Time: about %1</source>
        <translation>时间：约 %1</translation>
    </message>
    <message>
        <source>It fits.</source>
        <translation>可以运行。</translation>
    </message>
    <message>
        <source>Makes a new index from the project's files when its database is damaged or lost.</source>
        <translation>数据库损坏或丢失时，根据项目文件重新建立索引。</translation>
    </message>
    <message>
        <source>Rebuilt: imports: %1, samples: %2, snapshots: %3, runs: %4</source>
        <translation>已重建：%1 次导入、%2 个样本、%3 个快照、%4 次运行</translation>
    </message>
    <message>
        <source>Labels set after the newest snapshot, exclusions and the undo history were only in the database and are lost.</source>
        <translation>最新快照之后设置的标签、排除标记和撤销历史只保存在数据库中，已丢失。</translation>
    </message>
    <message>
        <source>Model: %1, %2 layers, vocabulary %3, context %4</source>
        <translation>模型：%1，%2 层，词表 %3，上下文 %4</translation>
    </message>
    <message>
        <source>Parameters: %1, used for a token: %2</source>
        <translation>参数：%1，每个词元用到：%2</translation>
    </message>
    <message>
        <source>Weights: %1 in %2 files; cache per token in bfloat16: %3</source>
        <translation>权重：%1，共 %2 个文件；每个词元的缓存（bfloat16）：%3</translation>
    </message>
    <message>
        <source>Check a language model in a Hugging Face folder and show what it is.</source>
        <translation>检查 Hugging Face 文件夹中的语言模型并显示其概况。</translation>
    </message>
    <message>
        <source>Check a language model and copy it, with its tokenizer, into a new folder.</source>
        <translation>检查语言模型，并连同分词器一起复制到新文件夹。</translation>
    </message>
    <message>
        <source>The new folder.</source>
        <translation>新文件夹。</translation>
    </message>
    <message>
        <source>Type of the copied weights: stored, float32 or bfloat16.</source>
        <translation>复制后权重的类型：stored（原样）、float32 或 bfloat16。</translation>
    </message>
    <message>
        <source>Largest size of one weights file in bytes.</source>
        <translation>单个权重文件的最大字节数。</translation>
    </message>
    <message>
        <source>a new folder</source>
        <translation>一个新文件夹</translation>
    </message>
    <message>
        <source>Copied to %1</source>
        <translation>已复制到 %1</translation>
    </message>
    <message>
        <source>Write a language model&apos;s logits for given token numbers, to compare it with another program.</source>
        <translation>写出语言模型对给定词元编号的 logits，以便与其他程序对照。</translation>
    </message>
    <message>
        <source>JSON file with token numbers: a list, a list of lists, or an object with input_ids.</source>
        <translation>含词元编号的 JSON 文件：一个列表、列表的列表，或带 input_ids 的对象。</translation>
    </message>
    <message>
        <source>File for the tensor &quot;logits&quot;, float32 [sequences, tokens, vocabulary].</source>
        <translation>存放张量 &quot;logits&quot; 的文件，float32 [序列, 词元, 词表]。</translation>
    </message>
    <message>
        <source>Type to compute in: stored, fp32 or bf16.</source>
        <translation>计算所用的类型：stored（原样）、fp32 或 bf16。</translation>
    </message>
    <message>
        <source>Latent attention of DeepSeek models: automatic, plain or absorbed.</source>
        <translation>DeepSeek 模型的潜在注意力：automatic（自动）、plain（展开）或 absorbed（吸收）。</translation>
    </message>
    <message>
        <source>Read N tokens at a time through the key/value cache; 0: all at once.</source>
        <translation>通过键值缓存每次读入 N 个词元；0：一次读完。</translation>
    </message>
    <message>
        <source>a file</source>
        <translation>一个文件</translation>
    </message>
    <message>
        <source>Logits: %1</source>
        <translation>Logits：%1</translation>
    </message>
    <message>
        <source>The texts to judge, one a line, UTF-8.</source>
        <translation>待评的文本，每行一条，UTF-8 编码。</translation>
    </message>
    <message>
        <source>What they should be, line by line; further files may follow as arguments.</source>
        <translation>参考文本，逐行对应；更多参考文件可作为参数列在后面。</translation>
    </message>
    <message>
        <source>lines; escaped, with a line break within a text written as backslash and n; or jsonl.</source>
        <translation>lines（每行一条）；escaped（文本内的换行写作反斜杠加 n）；或 jsonl。</translation>
    </message>
    <message>
        <source>The name of the text in JSON lines.</source>
        <translation>JSON 行中文本字段的名称。</translation>
    </message>
    <message>
        <source>Give a 95 % interval from so many resamples.</source>
        <translation>用这么多次重采样给出 95 % 区间。</translation>
    </message>
    <message>
        <source>The texts of another system: tests whether the difference is more than chance.</source>
        <translation>另一系统的文本：检验差异是否并非偶然。</translation>
    </message>
    <message>
        <source>Swaps of the approximate randomisation test.</source>
        <translation>近似随机化检验的交换次数。</translation>
    </message>
    <message>
        <source>Seed of the resampling; as in sacreBLEU, the same seed draws the same segments.</source>
        <translation>重采样的种子；与 sacreBLEU 一样，同一种子抽取同样的语段。</translation>
    </message>
    <message>
        <source>Also give the score of each segment.</source>
        <translation>同时给出每个语段的得分。</translation>
    </message>
    <message>
        <source>a text file</source>
        <translation>一个文本文件</translation>
    </message>
    <message>
        <source>Segments: %1, references for each: %2</source>
        <translation>语段：%1，每个语段的参考数：%2</translation>
    </message>
    <message>
        <source>(95 % between %1 and %2)</source>
        <translation>（95 % 区间 %1 至 %2）</translation>
    </message>
    <message>
        <source>Baseline %1, difference %2: p = %3 (paired bootstrap), p = %4 (approximate randomisation)</source>
        <translation>基线 %1，差异 %2：p = %3（配对自助法），p = %4（近似随机化）</translation>
    </message>
    <message>
        <source>The difference is significant at 5 %.</source>
        <translation>差异在 5 % 水平上显著。</translation>
    </message>
    <message>
        <source>The difference may be chance (not significant at 5 %).</source>
        <translation>差异可能出于偶然（在 5 % 水平上不显著）。</translation>
    </message>
    <message>
        <source>BLEU of text files, equal to sacreBLEU, with its signature.</source>
        <translation>计算文本文件的 BLEU，与 sacreBLEU 一致并附其签名。</translation>
    </message>
    <message>
        <source>13a, zh, intl, char or none.</source>
        <translation>13a、zh、intl、char 或 none。</translation>
    </message>
    <message>
        <source>Compare without regard to case.</source>
        <translation>比较时不区分大小写。</translation>
    </message>
    <message>
        <source>exp, floor, add-k or none.</source>
        <translation>exp、floor、add-k 或 none。</translation>
    </message>
    <message>
        <source>Of floor (0.1 when left out) and add-k (1).</source>
        <translation>floor（默认 0.1）和 add-k（默认 1）的数值。</translation>
    </message>
    <message>
        <source>Leave out orders that the texts are too short for.</source>
        <translation>忽略文本过短而无法计算的 n 元阶数。</translation>
    </message>
    <message>
        <source>The longest n-gram.</source>
        <translation>最长的 n 元组。</translation>
    </message>
    <message>
        <source>chrF and chrF++ of text files, equal to sacreBLEU, with its signature.</source>
        <translation>计算文本文件的 chrF 和 chrF++，与 sacreBLEU 一致并附其签名。</translation>
    </message>
    <message>
        <source>Longest n-gram of words; 2 is chrF++.</source>
        <translation>词的最长 n 元组；2 即 chrF++。</translation>
    </message>
    <message>
        <source>Longest n-gram of characters.</source>
        <translation>字符的最长 n 元组。</translation>
    </message>
    <message>
        <source>How much more recall counts than precision.</source>
        <translation>召回率相对于精确率的权重。</translation>
    </message>
    <message>
        <source>Count white space as characters.</source>
        <translation>把空白也算作字符。</translation>
    </message>
    <message>
        <source>Smooth as chrF++.py does instead of leaving orders out.</source>
        <translation>像 chrF++.py 那样平滑，而不是忽略某些阶数。</translation>
    </message>
    <message>
        <source>Translation edit rate of text files (tercom), equal to sacreBLEU, with its signature.</source>
        <translation>计算文本文件的翻译编辑率（tercom），与 sacreBLEU 一致并附其签名。</translation>
    </message>
    <message>
        <source>Separate punctuation and resolve entities first.</source>
        <translation>先分开标点并还原实体字符。</translation>
    </message>
    <message>
        <source>Remove punctuation first.</source>
        <translation>先去掉标点。</translation>
    </message>
    <message>
        <source>Split Chinese and Japanese into characters (with --normalized), remove their punctuation (with --no-punct).</source>
        <translation>把中文和日文拆成单字（配合 --normalized），去掉其标点（配合 --no-punct）。</translation>
    </message>
    <message>
        <source>Compare with regard to case.</source>
        <translation>比较时区分大小写。</translation>
    </message>
    <message>
        <source>ROUGE-1, -2, -L and -Lsum of text files, equal to rouge-score; Chinese as well.</source>
        <translation>计算文本文件的 ROUGE-1、-2、-L 和 -Lsum，与 rouge-score 一致；也支持中文。</translation>
    </message>
    <message>
        <source>rouge (Latin letters and digits only), zh (each ideograph a word) or char.</source>
        <translation>rouge（仅拉丁字母和数字）、zh（每个汉字为一词）或 char。</translation>
    </message>
    <message>
        <source>Reduce English words to their stems (Porter).</source>
        <translation>把英文单词还原为词干（Porter）。</translation>
    </message>
    <message>
        <source>The share of texts equal to one of their references.</source>
        <translation>与任一参考完全相同的文本所占比例。</translation>
    </message>
    <message>
        <source>Write a language model as ONNX or GGUF, quantized if wanted; ONNX is compared with the original.</source>
        <translation>将语言模型写成 ONNX 或 GGUF（可选量化）；ONNX 会与原模型比较。</translation>
    </message>
    <message>
        <source>standard (ONNX opset 23), genai (for onnxruntime-genai) or gguf (for llama.cpp).</source>
        <translation>standard（ONNX opset 23）、genai（供 onnxruntime-genai 使用）或 gguf（供 llama.cpp 使用）。</translation>
    </message>
    <message>
        <source>none, fp16, dynamic-int8, int8 or int4 (weights in blocks); gguf: fp16, q8_0 or q4_0.</source>
        <translation>none、fp16、dynamic-int8、int8 或 int4（权重分块）；gguf：fp16、q8_0 或 q4_0。</translation>
    </message>
    <message>
        <source>Weights that share a scale: 16, 32, 64, 128 or 256.</source>
        <translation>共用一个缩放系数的权重数：16、32、64、128 或 256。</translation>
    </message>
    <message>
        <source>With int8 and int4: blocks or float, what the tokens' vectors are kept in.</source>
        <translation>int8 和 int4 时：词元向量按 blocks（分块）还是 float（浮点）保存。</translation>
    </message>
    <message>
        <source>Longest text in tokens; 0: what the model says.</source>
        <translation>最长文本的词元数；0：按模型配置。</translation>
    </message>
    <message>
        <source>Texts the model has not seen (plain text, JSONL or token numbers): its perplexity is measured before and after.</source>
        <translation>模型未见过的文本（纯文本、JSONL 或词元编号）：将测量导出前后的困惑度。</translation>
    </message>
    <message>
        <source>Largest allowed rise of perplexity, 0.01 for one percent.</source>
        <translation>允许的困惑度最大升幅，0.01 表示百分之一。</translation>
    </message>
    <message>
        <source>Written: %1</source>
        <translation>已写入：%1</translation>
    </message>
    <message>
        <source>Next tokens that agree with the original: %1 of %2; largest difference of a logit: %3</source>
        <translation>与原模型一致的下一词元：%1 / %2；logit 最大差值：%3</translation>
    </message>
    <message>
        <source>Perplexity: %1, original %2 (rise %3 %, limit %4 %)</source>
        <translation>困惑度：%1，原模型 %2（升幅 %3 %，上限 %4 %）</translation>
    </message>
    <message>
        <source>Not judged: give a text with --texts to measure what quantization costs.</source>
        <translation>未作判断：请用 --texts 给出文本，以测量量化的代价。</translation>
    </message>
    <message>
        <source>Within the limit.</source>
        <translation>在上限之内。</translation>
    </message>
    <message>
        <source>Outside the limit: do not hand it out.</source>
        <translation>超出上限：请勿交付。</translation>
    </message>
    <message>
        <source>Let a language model write on: greedy, sampled or by beam search.</source>
        <translation>让语言模型续写：贪心、采样或集束搜索。</translation>
    </message>
    <message>
        <source>How many tokens at most.</source>
        <translation>最多生成多少个词元。</translation>
    </message>
    <message>
        <source>Draw the tokens instead of taking the most likely ones.</source>
        <translation>随机抽取词元，而不是取最可能的。</translation>
    </message>
    <message>
        <source>With --sample: above 1 more daring, below 1 more careful.</source>
        <translation>配合 --sample：大于 1 更大胆，小于 1 更谨慎。</translation>
    </message>
    <message>
        <source>With --sample: only the K most likely tokens.</source>
        <translation>配合 --sample：只考虑最可能的 K 个词元。</translation>
    </message>
    <message>
        <source>With --sample: only the most likely tokens that reach the probability P together.</source>
        <translation>配合 --sample：只考虑合计概率达到 P 的最可能词元。</translation>
    </message>
    <message>
        <source>Make tokens less likely that were there before; 1: off.</source>
        <translation>降低已出现词元的概率；1：关闭。</translation>
    </message>
    <message>
        <source>The same seed draws the same tokens.</source>
        <translation>相同的种子抽取相同的词元。</translation>
    </message>
    <message>
        <source>Beam search with N beams.</source>
        <translation>用 N 条束进行集束搜索。</translation>
    </message>
    <message>
        <source>With --beams: above 0 favours longer texts.</source>
        <translation>配合 --beams：大于 0 偏向较长的文本。</translation>
    </message>
    <message>
        <source>With --beams: end as soon as N texts are complete.</source>
        <translation>配合 --beams：有 N 条文本完成即结束。</translation>
    </message>
    <message>
        <source>End where these token numbers (with commas) come; may be given several times.</source>
        <translation>遇到这些词元编号（以逗号分隔）时结束；可多次给出。</translation>
    </message>
    <message>
        <source>Write on after the model&apos;s end tokens.</source>
        <translation>在模型的结束词元之后继续生成。</translation>
    </message>
    <message>
        <source>a number</source>
        <translation>一个数字</translation>
    </message>
    <message>
        <source>token numbers with commas</source>
        <translation>以逗号分隔的词元编号</translation>
    </message>
    <message>
        <source>Tokens: %1</source>
        <translation>词元：%1</translation>
    </message>
    <message>
        <source>Plan the memory of a language model: whether it fits graphics cards, and which change makes it fit.</source>
        <translation>规划语言模型的显存：能否放进显卡，以及怎样改变才能放下。</translation>
    </message>
    <message>
        <source>full, lora, qlora, dpo or generate.</source>
        <translation>full、lora、qlora、dpo 或 generate。</translation>
    </message>
    <message>
        <source>What dpo trains: lora, qlora or full.</source>
        <translation>dpo 训练的内容：lora、qlora 或 full。</translation>
    </message>
    <message>
        <source>mixed (16 bytes a parameter), autocast, bf16 (8 bytes) or fp32.</source>
        <translation>mixed（每个参数 16 字节）、autocast、bf16（8 字节）或 fp32。</translation>
    </message>
    <message>
        <source>Rank of LoRA.</source>
        <translation>LoRA 的秩。</translation>
    </message>
    <message>
        <source>Tokens of a sequence; with generate, of prompt and answer.</source>
        <translation>序列的词元数；generate 时为提示与回答之和。</translation>
    </message>
    <message>
        <source>Sequences at once on each card.</source>
        <translation>每张显卡同时处理的序列数。</translation>
    </message>
    <message>
        <source>Compute activations again instead of keeping them.</source>
        <translation>重新计算激活而不保存。</translation>
    </message>
    <message>
        <source>Compute the loss of all tokens at once instead of 1,024 at a time.</source>
        <translation>一次计算全部词元的损失，而不是每次 1,024 个。</translation>
    </message>
    <message>
        <source>Number of graphics cards.</source>
        <translation>显卡数量。</translation>
    </message>
    <message>
        <source>ZeRO stage: 1 shares the optimizer, 2 gradients too, 3 weights too.</source>
        <translation>ZeRO 级别：1 分摊优化器，2 再分摊梯度，3 再分摊权重。</translation>
    </message>
    <message>
        <source>Memory of a card in GB; may be given more than once (40, 80 and 141 when left out).</source>
        <translation>每张显卡的显存（GB）；可多次给出（默认 40、80 和 141）。</translation>
    </message>
    <message>
        <source>Parameters: %1, trained: %2</source>
        <translation>参数：%1，参与训练：%2</translation>
    </message>
    <message>
        <source>On each card: weights %1, gradients %2, optimizer %3, activations %4, logits %5, cache %6, overhead %7; together %8</source>
        <translation>每张显卡：权重 %1，梯度 %2，优化器 %3，激活 %4，logits %5，缓存 %6，其他开销 %7；合计 %8</translation>
    </message>
    <message>
        <source>Learns a SentencePiece tokenizer from text files.</source>
        <translation>从文本文件学习 SentencePiece 分词器。</translation>
    </message>
    <message>
        <source>A text file; may be repeated.</source>
        <translation>文本文件，可重复给出。</translation>
    </message>
    <message>
        <source>bpe or unigram.</source>
        <translation>bpe 或 unigram。</translation>
    </message>
    <message>
        <source>Pieces of the vocabulary, with 3 special ones and 256 bytes.</source>
        <translation>词表大小，含 3 个特殊词元和 256 个字节。</translation>
    </message>
    <message>
        <source>Share of the characters that get a piece; the rest is spelled in bytes.</source>
        <translation>有独立词元的字符所占比例，其余按字节拼写。</translation>
    </message>
    <message>
        <source>identity (the text as it is) or nfkc (forms unified, white space cleaned).</source>
        <translation>identity（保持原文）或 nfkc（统一字形并清理空白）。</translation>
    </message>
    <message>
        <source>What has no piece becomes &lt;unk&gt; instead of bytes.</source>
        <translation>没有词元的内容变为 &lt;unk&gt;，而不是字节。</translation>
    </message>
    <message>
        <source>Folder to make.</source>
        <translation>要新建的文件夹。</translation>
    </message>
    <message>
        <source>Tokenizer: %1 (%2 pieces from %3 lines)</source>
        <translation>分词器：%1（由 %3 行得到 %2 个词元）</translation>
    </message>
    <message>
        <source>at least one text file</source>
        <translation>至少一个文本文件</translation>
    </message>
    <message>
        <source>Shows what a tokenizer is and how it cuts a text.</source>
        <translation>显示分词器的信息以及它如何切分文本。</translation>
    </message>
    <message>
        <source>A text to cut.</source>
        <translation>要切分的文本。</translation>
    </message>
    <message>
        <source>A text file to cut (its first MiB).</source>
        <translation>要切分的文本文件（其前 1 MiB）。</translation>
    </message>
    <message>
        <source>Without the begin and end tokens.</source>
        <translation>不加开始和结束词元。</translation>
    </message>
    <message>
        <source>Kind: %1 (%2), %3 pieces</source>
        <translation>类型：%1（%2），%3 个词元</translation>
    </message>
    <message>
        <source>%1 tokens for %2 bytes</source>
        <translation>%2 个字节得到 %1 个词元</translation>
    </message>
    <message>
        <source>Turns texts into token ids.</source>
        <translation>把文本变为词元编号。</translation>
    </message>
    <message>
        <source>Folder or file of the tokenizer.</source>
        <translation>分词器的文件夹或文件。</translation>
    </message>
    <message>
        <source>The text file.</source>
        <translation>文本文件。</translation>
    </message>
    <message>
        <source>What one text is: file, line, or json-line (a JSON text a line).</source>
        <translation>什么算一段文本：file（整个文件）、line（一行）或 json-line（每行一个 JSON 字符串）。</translation>
    </message>
    <message>
        <source>A safetensors file to write: ids (I32) and offsets (I64).</source>
        <translation>要写的 safetensors 文件：ids（I32）和 offsets（I64）。</translation>
    </message>
    <message>
        <source>a path</source>
        <translation>一个路径</translation>
    </message>
    <message>
        <source>%1 texts, %2 tokens</source>
        <translation>%1 段文本，%2 个词元</translation>
    </message>
    <message>
        <source>Turns token ids back into texts.</source>
        <translation>把词元编号还原为文本。</translation>
    </message>
    <message>
        <source>A file that encode wrote, or JSON {&quot;ids&quot;: [[…]]}.</source>
        <translation>encode 写出的文件，或 JSON {&quot;ids&quot;: [[…]]}。</translation>
    </message>
    <message>
        <source>Special tokens stay in the text.</source>
        <translation>特殊词元保留在文本中。</translation>
    </message>
    <message>
        <source>A file to write: a JSON text a line.</source>
        <translation>要写的文件：每行一个 JSON 字符串。</translation>
    </message>
    <message>
        <source>Judge a language model: perplexity, against its base, choices, attacks on its embeddings, memorised texts, speed.</source>
        <translation>评判语言模型：困惑度、与基础模型比较、选择题、词向量攻击、逐字记忆的文本、速度。</translation>
    </message>
    <message>
        <source>What to judge by: plain text, JSONL with &quot;text&quot; or with &quot;prompt&quot; and &quot;completion&quot; (which alone is judged), or token numbers. Of a training's folder by default what it held back.</source>
        <translation>用于评判的文本：纯文本、含 "text" 或 "prompt" 与 "completion"（只评判后者）的 JSONL，或词元编号。给出训练文件夹时，默认使用训练时留出的文本。</translation>
    </message>
    <message>
        <source>The model it was made from: both read the same texts.</source>
        <translation>它由之而来的模型：两者读同样的文本。</translation>
    </message>
    <message>
        <source>JSON file with questions, answers and the right one, as token numbers.</source>
        <translation>JSON 文件，以词元编号给出问题、各选项和正确项。</translation>
    </message>
    <message>
        <source>Training texts, in the same forms: which does it repeat word for word?</source>
        <translation>训练文本，形式同上：哪些会被逐字复述？</translation>
    </message>
    <message>
        <source>Attack the vectors of the words (FGSM and PGD).</source>
        <translation>攻击词向量（FGSM 与 PGD）。</translation>
    </message>
    <message>
        <source>Strengths of the attacks, in sizes of a word's vector, separated by commas.</source>
        <translation>攻击强度，以词向量的大小为单位，用逗号分隔。</translation>
    </message>
    <message>
        <source>Attack so many texts.</source>
        <translation>攻击多少个文本。</translation>
    </message>
    <message>
        <source>Time the first and the following tokens.</source>
        <translation>测量首个词元及后续词元的时间。</translation>
    </message>
    <message>
        <source>Folder made by model export, timed as well; may be given more than once.</source>
        <translation>由 model export 生成的文件夹，一并计时；可多次给出。</translation>
    </message>
    <message>
        <source>Bootstrap resamples for the intervals.</source>
        <translation>用于区间的自助重抽样次数。</translation>
    </message>
    <message>
        <source>Seed of everything random.</source>
        <translation>所有随机过程的种子。</translation>
    </message>
    <message>
        <source>Write the report into this JSON file.</source>
        <translation>将报告写入此 JSON 文件。</translation>
    </message>
    <message>
        <source>Write it as a web page of one file, in the language of --language.</source>
        <translation>写成单文件网页，语言由 --language 决定。</translation>
    </message>
    <message>
        <source> (95 % between %1 and %2)</source>
        <translation>（95 % 区间 %1 至 %2）</translation>
    </message>
    <message>
        <source>Perplexity: %1, tokens judged: %2</source>
        <translation>困惑度：%1，评判的词元：%2</translation>
    </message>
    <message>
        <source>Base model: %1; ratio: %2, p = %3</source>
        <translation>基础模型：%1；比值：%2，p = %3</translation>
    </message>
    <message>
        <source>Right choices: %1; by mean over tokens: %2</source>
        <translation>选对的比例：%1；按词元平均：%2</translation>
    </message>
    <message>
        <source>Training texts repeated word for word: %1 of %2; longest run of tokens: %3</source>
        <translation>被逐字复述的训练文本：%1 / %2；最长连续词元：%3</translation>
    </message>
    <message>
        <source>%1 %2, ε %3: perplexity %4, first choices lost: %5 %, words still read the same: %6 %</source>
        <translation>%1 %2，ε %3：困惑度 %4，丢失的首选：%5 %，仍读作原词：%6 %</translation>
    </message>
    <message>
        <source>%1 %2: first token %3 ms, then %4 ms a token (%5 tokens/s)</source>
        <translation>%1 %2：首个词元 %3 ms，其后每词元 %4 ms（%5 词元/秒）</translation>
    </message>
    <message>
        <source>Nothing here runs GGUF: try it where it will be used.</source>
        <translation>此处没有程序能运行 GGUF：请在使用它的地方试用。</translation>
    </message>
    <message>
        <source>Put an exported language model with its tokenizer and papers into a signed folder. Needs no project.</source>
        <translation>将导出的语言模型连同分词器和文档放入带签名的文件夹。不需要项目。</translation>
    </message>
    <message>
        <source>The report that model evaluate wrote; it goes along without what it says of single texts.</source>
        <translation>model evaluate 写出的报告；其中关于单个文本的内容不会随附。</translation>
    </message>
    <message>
        <source>What it was made from, for the model card.</source>
        <translation>它由什么模型而来（写入模型卡）。</translation>
    </message>
    <message>
        <source>Turns texts into token shards for training a language model.</source>
        <translation>把文本变为词元分片，用于训练语言模型。</translation>
    </message>
    <message>
        <source>plain, instructions (Alpaca, ShareGPT, messages), pairs (TSV or JSON lines) or preferences.</source>
        <translation>plain（纯文本）、instructions（指令：Alpaca、ShareGPT、messages）、pairs（成对：TSV 或 JSON 行）或 preferences（偏好）。</translation>
    </message>
    <message>
        <source>Folder to make; one made before from the same data, tokenizer and settings is used again.</source>
        <translation>要新建的文件夹；若以前已用同样的数据、分词器和设置建好，则直接使用。</translation>
    </message>
    <message>
        <source>Tokens of a sequence; longer ones are cut.</source>
        <translation>一个序列的词元数，更长的会被截断。</translation>
    </message>
    <message>
        <source>Share that is kept for validation.</source>
        <translation>留作验证的比例。</translation>
    </message>
    <message>
        <source>Chooses what is kept.</source>
        <translation>决定留出哪些。</translation>
    </message>
    <message>
        <source>Chat template: auto (the folder's where it states one), folder, deepseek-v3, deepseek-llm, deepseek-coder, llama3, chatml, alpaca.</source>
        <translation>对话模板：auto（文件夹自带时使用其模板）、folder、deepseek-v3、deepseek-llm、deepseek-coder、llama3、chatml、alpaca。</translation>
    </message>
    <message>
        <source>The day, for a chat template that asks for it.</source>
        <translation>日期，供需要日期的对话模板使用。</translation>
    </message>
    <message>
        <source>Shows how conversations are written for a model, and which tokens are answers.</source>
        <translation>显示对话如何为模型书写，以及哪些词元属于回答。</translation>
    </message>
    <message>
        <source>Folder of the tokenizer or the model.</source>
        <translation>分词器或模型的文件夹。</translation>
    </message>
    <message>
        <source>Conversations, one a line: {"messages": [{"role": …, "content": …}]}.</source>
        <translation>对话，每行一个：{"messages": [{"role": …, "content": …}]}。</translation>
    </message>
    <message>
        <source>Chat template: auto, folder (the one of the folder) or a built-in name.</source>
        <translation>对话模板：auto、folder（文件夹自带的模板）或内置名称。</translation>
    </message>
    <message>
        <source>The day, for a template that asks for it.</source>
        <translation>日期，供需要日期的模板使用。</translation>
    </message>
    <message>
        <source>As for generation: up to where the next answer begins, or a last answer goes on.</source>
        <translation>与生成时相同：到下一个回答开始处，或接着最后一个回答。</translation>
    </message>
    <message>
        <source>Chat template: %1</source>
        <translation>对话模板：%1</translation>
    </message>
    <message>
        <source>Texts: only those of this kind: plain, instructions, pairs or preferences.</source>
        <translation>文本：仅限此种类：plain、instructions、pairs 或 preferences。</translation>
    </message>
    <message>
        <source>Plain text files: what one document is: file, line or paragraph.</source>
        <translation>纯文本文件中什么算一篇文档：file（文件）、line（行）或 paragraph（段落）。</translation>
    </message>
    <message>
        <source>Pairs: what the model is given; {source} is replaced.</source>
        <translation>成对数据：给模型的内容，其中 {source} 会被替换。</translation>
    </message>
    <message>
        <source>Pairs in TSV: source and target column.</source>
        <translation>TSV 成对数据：源列和目标列。</translation>
    </message>
    <message>
        <source>Fill every sequence up to the length.</source>
        <translation>把每个序列填充到规定长度。</translation>
    </message>
    <message>
        <source>The same data was prepared before; nothing was done.</source>
        <translation>同样的数据以前已准备好，未重复处理。</translation>
    </message>
    <message>
        <source>%1: %2 sequences, %3 tokens, %4 of them in the loss</source>
        <translation>%1：%2 个序列，%3 个词元，其中 %4 个计入损失</translation>
    </message>
    <message>
        <source>Accepted %1, refused %2, changed %3</source>
        <translation>接受 %1，拒绝 %2，更改 %3</translation>
    </message>
    <message>
        <source>Lines that end in a full stop by itself: %1. The texts look cut into words already, which changes BLEU; give them as people write them.</source>
        <translation>以独立句点结尾的行：%1。文本似乎已经分词，这会改变 BLEU；请提供自然书写的文本。</translation>
    </message>
    <message>
        <source>LoRA adapter in PEFT layout to merge into the copy.</source>
        <translation>要合并进副本的 LoRA 适配器（PEFT 布局）。</translation>
    </message>
    <message>
        <source>LoRA adapter in PEFT layout to use with the model.</source>
        <translation>与模型一起使用的 LoRA 适配器（PEFT 布局）。</translation>
    </message>
    <message>
        <source>a text, or token numbers with --ids</source>
        <translation>一段文本，或用 --ids 给出词元编号</translation>
    </message>
    <message>
        <source>The text to go on from; may be given several times.</source>
        <translation>续写的起始文本；可多次给出。</translation>
    </message>
    <message>
        <source>End before this text; may be given several times.</source>
        <translation>在此文本之前结束；可多次给出。</translation>
    </message>
    <message>
        <source>the folder of the tokenizer the texts were prepared with</source>
        <translation>准备文本时所用分词器的文件夹</translation>
    </message>
    <message>
        <source>Train a language model on prepared texts: from scratch, all weights of a base, an adapter (LoRA, QLoRA), or on preferences (DPO).</source>
        <translation>用准备好的文本训练语言模型：从零开始、训练基础模型的全部权重、训练适配器（LoRA、QLoRA），或按偏好训练（DPO）。</translation>
    </message>
    <message>
        <source>Folder of the training; the same command on it goes on where it was stopped.</source>
        <translation>训练文件夹；对它再次执行同一命令会从停止处继续。</translation>
    </message>
    <message>
        <source>Model to start from; without it a new one is made.</source>
        <translation>起始模型；不给出则新建模型。</translation>
    </message>
    <message>
        <source>Tokenizer that goes along with a new model.</source>
        <translation>随新模型一起交付的分词器。</translation>
    </message>
    <message>
        <source>Of a new model: llama-1m to llama-1b, deepseek-v3-30m.</source>
        <translation>新模型的结构：llama-1m 至 llama-1b、deepseek-v3-30m。</translation>
    </message>
    <message>
        <source>full, lora, qlora (the base in four bits), or dpo for preferences.</source>
        <translation>full、lora、qlora（四比特基础模型），或用于偏好的 dpo。</translation>
    </message>
    <message>
        <source>Another setting of the family decoder_lm; may be given several times.</source>
        <translation>decoder_lm 系列的其他设置；可多次给出。</translation>
    </message>
    <message>
        <source>Model: %1</source>
        <translation>模型：%1</translation>
    </message>
    <message>
        <source>a folder</source>
        <translation>一个文件夹</translation>
    </message>
    <message>
        <source>Step %1: validation loss %2</source>
        <translation>第 %1 步：验证损失 %2</translation>
    </message>
    <message>
        <source>Step %1: validation loss %2, %3 % of the pairs in the right order</source>
        <translation>第 %1 步：验证损失 %2，%3 % 的回答对顺序正确</translation>
    </message>
    <message>
        <source>loss %1, %2 tokens/s</source>
        <translation>损失 %1，%2 词元/秒</translation>
    </message>
    <message>
        <source>%1, parameters: %2</source>
        <translation>%1，参数：%2</translation>
    </message>
    <message>
        <source>Check a language model or a tokenizer and copy it into a project.</source>
        <translation>检查语言模型或分词器，并复制到项目中。</translation>
    </message>
    <message>
        <source>Freezes the labelled samples, or the texts, with their split under one digest.</source>
        <translation>把已标注的样本或文本连同其划分冻结为一个摘要。</translation>
    </message>
    <message>
        <source>Imports images, with labels from folders or a table, or texts into the project.</source>
        <translation>把图像（标签来自文件夹或表格）或文本导入项目。</translation>
    </message>
    <message>
        <source>Language model to start from: one of the project (model list), or a folder.</source>
        <translation>起始语言模型：项目中的一个（model list），或一个文件夹。</translation>
    </message>
    <message>
        <source>Learns a tokenizer from the training texts of a project&apos;s snapshot.</source>
        <translation>从项目快照的训练文本中学习分词器。</translation>
    </message>
    <message>
        <source>Lists the models and tokenizers of a project.</source>
        <translation>列出项目的模型和分词器。</translation>
    </message>
    <message>
        <source>Model family (default: the one for the project&apos;s task).</source>
        <translation>模型族（默认：适合项目任务的那个）。</translation>
    </message>
    <message>
        <source>No model and no tokenizer yet: cloister-cli model add, tokenizer add.</source>
        <translation>尚无模型和分词器：请用 cloister-cli model add、tokenizer add。</translation>
    </message>
    <message>
        <source>Of a language model: how it is trained. --list-parameters shows the ways.</source>
        <translation>语言模型的训练方式。--list-parameters 列出各种方式。</translation>
    </message>
    <message>
        <source>Shares of training, validation and test (default: 70/15/15, of texts 90/5/5).</source>
        <translation>训练、验证和测试的比例（默认 70/15/15，文本为 90/5/5）。</translation>
    </message>
    <message>
        <source>Tokenizer of a new language model: one of the project, or a folder.</source>
        <translation>新语言模型的分词器：项目中的一个，或一个文件夹。</translation>
    </message>
    <message>
        <source>What the project calls it (default: the folder&apos;s name).</source>
        <translation>在项目中的名称（默认：文件夹名）。</translation>
    </message>
    <message>
        <source>What the project calls it.</source>
        <translation>在项目中的名称。</translation>
    </message>
    <message>
        <source>What to build: image-classification or language-model.</source>
        <translation>要做什么：image-classification 或 language-model。</translation>
    </message>
    <message>
        <source>dicom, images, table (labels alone) or text (default: text for a language model, else dicom).</source>
        <translation>dicom、images、table（仅标签）或 text（默认：语言模型为 text，否则为 dicom）。</translation>
    </message>
    <message>
        <source>tokenizer, vocabulary %1</source>
        <translation>分词器，词表 %1</translation>
    </message>
    <message>
        <source>Step %1 writes: %2</source>
        <translation>第 %1 步写道：%2</translation>
    </message>
    <message>
        <source>  a step %1, %2 tokens/s (%3 on each GPU), MFU %4, memory %5 of each GPU</source>
        <translation>  每步 %1，%2 词元/秒（每个 GPU %3），MFU %4，每个 GPU 显存 %5</translation>
    </message>
    <message>
        <source>  memory: weights %1, gradients %2, optimizer %3, activations %4, logits %5, overhead %6</source>
        <translation>  显存：权重 %1，梯度 %2，优化器 %3，激活值 %4，logits %5，开销 %6</translation>
    </message>
    <message>
        <source>  seconds: compute %1, computed again %2, tensor %3, experts %4, pipeline %5, bubble %6, data %7, optimizer %8</source>
        <translation>  时间：计算 %1，重算 %2，张量 %3，专家 %4，流水线 %5，气泡 %6，数据 %7，优化器 %8</translation>
    </message>
    <message>
        <source>%1 times as long: </source>
        <translation>耗时 %1 倍：</translation>
    </message>
    <message>
        <source>Assumed:</source>
        <translation>假设：</translation>
    </message>
    <message>
        <source>It does not fit: %1.</source>
        <translation>放不下：%1。</translation>
    </message>
    <message>
        <source>It fits with one of these:</source>
        <translation>以下任一方案放得下：</translation>
    </message>
    <message>
        <source>Layouts tried: %1; they fit: %2</source>
        <translation>尝试的布局：%1；放得下：%2</translation>
    </message>
    <message>
        <source>No layout of %1 GPUs fits.</source>
        <translation>%1 个 GPU 没有放得下的布局。</translation>
    </message>
    <message>
        <source>No single change makes it fit.</source>
        <translation>没有任何单项改动能让它放得下。</translation>
    </message>
    <message>
        <source>On %1:</source>
        <translation>在 %1 上：</translation>
    </message>
    <message>
        <source>Parameters: %1; %2 GPUs %3; batch of %4 sequences of %5 tokens, %6</source>
        <translation>参数：%1；%2 个 GPU %3；批次为 %4 条、每条 %5 个词元的序列，%6</translation>
    </message>
    <message>
        <source>Predict a training step on so many GPUs (1 to 4,096) and propose layouts.</source>
        <translation>预测在这么多 GPU（1 到 4,096）上的一个训练步，并给出布局建议。</translation>
    </message>
    <message>
        <source>Sequences of %1 tokens:</source>
        <translation>每条序列 %1 个词元：</translation>
    </message>
    <message>
        <source>The fewest GPUs it trains on: %1 (%2, %3 of memory)</source>
        <translation>能够训练的最少 GPU 数：%1（%2，显存 %3）</translation>
    </message>
    <message>
        <source>Up to 4,096 of these GPUs do not hold it.</source>
        <translation>4,096 个这样的 GPU 也放不下。</translation>
    </message>
    <message>
        <source>Why not others:</source>
        <translation>其他布局为何不选：</translation>
    </message>
    <message>
        <source>With --gpus: a100-40, a100-80, h100, h200, cpu, or a JSON file that describes nodes.</source>
        <translation>与 --gpus 一起使用：a100-40、a100-80、h100、h200、cpu，或描述节点的 JSON 文件。</translation>
    </message>
    <message>
        <source>With --gpus: bf16, fp16, fp8 or fp32.</source>
        <translation>与 --gpus 一起使用：bf16、fp16、fp8 或 fp32。</translation>
    </message>
    <message>
        <source>With --gpus: sequences of one optimizer step (4 million tokens when left out).</source>
        <translation>与 --gpus 一起使用：一个优化器步的序列数（省略时为 400 万词元）。</translation>
    </message>
    <message>
        <source>With --gpus: this layout only, for example dp=8,tp=4,pp=2,zero=1,micro=1,recompute=full.</source>
        <translation>与 --gpus 一起使用：只计算这一布局，例如 dp=8,tp=4,pp=2,zero=1,micro=1,recompute=full。</translation>
    </message>
    <message>
        <source>%1 is handed over.</source>
        <translation>%1 已交出。</translation>
    </message>
    <message>
        <source>%1 waits: job %2 is %3 %4</source>
        <translation>%1 正在等待：作业 %2 为 %3 %4</translation>
    </message>
    <message>
        <source>%1: %2 attempts and %3 checkpoints taken in; it is %4.</source>
        <translation>%1：收进 %2 次尝试和 %3 个检查点；状态为 %4。</translation>
    </message>
    <message>
        <source>A further option for sbatch, as --exclusive; may be given again.</source>
        <translation>sbatch 的其他选项，如 --exclusive；可重复给出。</translation>
    </message>
    <message>
        <source>Failed attempts after which it goes on by itself from the newest checkpoint.</source>
        <translation>失败多少次以内自动从最新检查点继续。</translation>
    </message>
    <message>
        <source>Features that Slurm's nodes must have.</source>
        <translation>Slurm 节点必须具备的特性。</translation>
    </message>
    <message>
        <source>Fill in this file instead of our own script or manifest.</source>
        <translation>用此文件作模板，代替自带的脚本或清单。</translation>
    </message>
    <message>
        <source>Graphics cards of each host.</source>
        <translation>每台主机的显卡数。</translation>
    </message>
    <message>
        <source>Hosts, or pods.</source>
        <translation>主机数，或 Pod 数。</translation>
    </message>
    <message>
        <source>Instead of a recipe: a run that was composed, or ended unfinished.</source>
        <translation>不给配方，而用已经备好或尚未完成就结束的训练。</translation>
    </message>
    <message>
        <source>Kubernetes: job, or pytorchjob of Kubeflow.</source>
        <translation>Kubernetes：job，或 Kubeflow 的 pytorchjob。</translation>
    </message>
    <message>
        <source>Kubernetes: the claim of the volume that holds the project.</source>
        <translation>Kubernetes：存放项目的卷的声明（PVC）。</translation>
    </message>
    <message>
        <source>Kubernetes: the image with cloister-worker.</source>
        <translation>Kubernetes：含有 cloister-worker 的镜像。</translation>
    </message>
    <message>
        <source>Kubernetes: the namespace.</source>
        <translation>Kubernetes：命名空间。</translation>
    </message>
    <message>
        <source>Kubernetes: where the pods see the project.</source>
        <translation>Kubernetes：Pod 中项目所在的路径。</translation>
    </message>
    <message>
        <source>Memory of a host: 64G; of a pod: 64Gi.</source>
        <translation>每台主机的内存，如 64G；每个 Pod 的内存，如 64Gi。</translation>
    </message>
    <message>
        <source>Network interface for Gloo and NCCL.</source>
        <translation>Gloo 和 NCCL 使用的网络接口。</translation>
    </message>
    <message>
        <source>Of a sweep: runs that train at the same time (0: no limit).</source>
        <translation>扫描时同时训练的数目（0：不限）。</translation>
    </message>
    <message>
        <source>Packed into %1; its README says how to go on there.</source>
        <translation>已装入 %1；到那边如何继续见其中的 README。</translation>
    </message>
    <message>
        <source>Processes on each host.</source>
        <translation>每台主机上的进程数。</translation>
    </message>
    <message>
        <source>Processors of each process (0: the scheduler's own).</source>
        <translation>每个进程的处理器数（0：由调度器决定）。</translation>
    </message>
    <message>
        <source>Put the run and all it needs into an archive (.tar) or a folder, for a cluster that does not see the project.</source>
        <translation>把训练及其所需的一切装进归档（.tar）或文件夹，供看不到项目的集群使用。</translation>
    </message>
    <message>
        <source>Return once the run is handed over.</source>
        <translation>训练交出后立即返回。</translation>
    </message>
    <message>
        <source>Seconds for a checkpoint after a preemption or before the time is over.</source>
        <translation>被抢占后或时限将到前，留给保存检查点的秒数。</translation>
    </message>
    <message>
        <source>Slurm's account.</source>
        <translation>Slurm 的账户。</translation>
    </message>
    <message>
        <source>Slurm's job %1; runs follow and runs stop work on it.</source>
        <translation>Slurm 作业 %1；可用 runs follow 和 runs stop。</translation>
    </message>
    <message>
        <source>Slurm's partition.</source>
        <translation>Slurm 的分区。</translation>
    </message>
    <message>
        <source>Slurm's quality of service.</source>
        <translation>Slurm 的服务质量（QOS）。</translation>
    </message>
    <message>
        <source>Slurm: the longest time of an attempt; then a checkpoint, and again into the queue.</source>
        <translation>Slurm：一次尝试的最长时间；到时先存检查点，再回到队列。</translation>
    </message>
    <message>
        <source>Slurm: write the script only.</source>
        <translation>Slurm：只写脚本，不提交。</translation>
    </message>
    <message>
        <source>Take back what a run did on a cluster: the unpacked folder of launch --pack, after it ran.</source>
        <translation>取回训练在集群上的结果：launch --pack 的包在那边运行之后解开的文件夹。</translation>
    </message>
    <message>
        <source>Train elsewhere: under torchrun, Slurm or Kubernetes, followed by the run's folder.</source>
        <translation>在别处训练：torchrun、Slurm 或 Kubernetes，凭训练的文件夹跟踪进度。</translation>
    </message>
    <message>
        <source>Values of a parameter; each combination becomes a run of one job array.</source>
        <translation>某个参数的若干取值；每种组合成为同一作业数组中的一次训练。</translation>
    </message>
    <message>
        <source>Where: machine, torchrun, slurm, kubernetes.</source>
        <translation>在何处：machine（本机）、torchrun、slurm、kubernetes。</translation>
    </message>
    <message>
        <source>cloister-worker as the hosts see it.</source>
        <translation>各主机上 cloister-worker 的路径。</translation>
    </message>
    <message>
        <source>torchrun on several hosts: the first one, and a free port on it.</source>
        <translation>torchrun 用于多台主机时：第一台主机及其空闲端口。</translation>
    </message>
    <message>
        <source>Make up synthetic reports with questions and answers</source>
        <translation>生成带问答的合成报告</translation>
    </message>
    <message>
        <source>Import the texts</source>
        <translation>导入文本</translation>
    </message>
    <message>
        <source>Freeze a snapshot; equal texts stay on one side</source>
        <translation>冻结快照；相同文本只在一侧</translation>
    </message>
    <message>
        <source>Learn a tokenizer from the training texts</source>
        <translation>从训练文本学习分词器</translation>
    </message>
    <message>
        <source>Train a small language model from scratch</source>
        <translation>从头训练小型语言模型</translation>
    </message>
    <message>
        <source>Synthetic texts of a language model.</source>
        <translation>语言模型的合成文本数。</translation>
    </message>
    <message>
        <source>Passes over the training split: 30 for images, 2 for texts when not given.</source>
        <translation>训练集的遍数：未指定时图像为 30，文本为 2。</translation>
    </message>
</context>
</TS>
