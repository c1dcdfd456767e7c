<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN">
<context>
    <name>DicomKeywords</name>
    <message>
        <source>SpecificCharacterSet</source>
        <translation>字符集</translation>
    </message>
    <message>
        <source>ImageType</source>
        <translation>图像类型</translation>
    </message>
    <message>
        <source>SOPClassUID</source>
        <translation>SOP类UID</translation>
    </message>
    <message>
        <source>SOPInstanceUID</source>
        <translation>SOP实例UID</translation>
    </message>
    <message>
        <source>StudyDate</source>
        <translation>检查日期</translation>
    </message>
    <message>
        <source>SeriesDate</source>
        <translation>序列日期</translation>
    </message>
    <message>
        <source>AcquisitionDate</source>
        <translation>采集日期</translation>
    </message>
    <message>
        <source>ContentDate</source>
        <translation>内容日期</translation>
    </message>
    <message>
        <source>StudyTime</source>
        <translation>检查时间</translation>
    </message>
    <message>
        <source>SeriesTime</source>
        <translation>序列时间</translation>
    </message>
    <message>
        <source>AcquisitionTime</source>
        <translation>采集时间</translation>
    </message>
    <message>
        <source>ContentTime</source>
        <translation>内容时间</translation>
    </message>
    <message>
        <source>AccessionNumber</source>
        <translation>检查流水号</translation>
    </message>
    <message>
        <source>Modality</source>
        <translation>检查设备类型</translation>
    </message>
    <message>
        <source>Manufacturer</source>
        <translation>制造商</translation>
    </message>
    <message>
        <source>InstitutionName</source>
        <translation>机构名称</translation>
    </message>
    <message>
        <source>InstitutionAddress</source>
        <translation>机构地址</translation>
    </message>
    <message>
        <source>ReferringPhysicianName</source>
        <translation>转诊医师姓名</translation>
    </message>
    <message>
        <source>StationName</source>
        <translation>工作站名称</translation>
    </message>
    <message>
        <source>StudyDescription</source>
        <translation>检查描述</translation>
    </message>
    <message>
        <source>SeriesDescription</source>
        <translation>序列描述</translation>
    </message>
    <message>
        <source>InstitutionalDepartmentName</source>
        <translation>科室名称</translation>
    </message>
    <message>
        <source>OperatorsName</source>
        <translation>操作者姓名</translation>
    </message>
    <message>
        <source>ManufacturerModelName</source>
        <translation>设备型号</translation>
    </message>
    <message>
        <source>PatientName</source>
        <translation>患者姓名</translation>
    </message>
    <message>
        <source>PatientID</source>
        <translation>患者编号</translation>
    </message>
    <message>
        <source>PatientBirthDate</source>
        <translation>出生日期</translation>
    </message>
    <message>
        <source>PatientSex</source>
        <translation>性别</translation>
    </message>
    <message>
        <source>PatientAge</source>
        <translation>年龄</translation>
    </message>
    <message>
        <source>PatientSize</source>
        <translation>身高</translation>
    </message>
    <message>
        <source>PatientWeight</source>
        <translation>体重</translation>
    </message>
    <message>
        <source>BodyPartExamined</source>
        <translation>检查部位</translation>
    </message>
    <message>
        <source>SliceThickness</source>
        <translation>层厚</translation>
    </message>
    <message>
        <source>KVP</source>
        <translation>管电压峰值</translation>
    </message>
    <message>
        <source>SpacingBetweenSlices</source>
        <translation>层间距</translation>
    </message>
    <message>
        <source>DeviceSerialNumber</source>
        <translation>设备序列号</translation>
    </message>
    <message>
        <source>SoftwareVersions</source>
        <translation>软件版本</translation>
    </message>
    <message>
        <source>ProtocolName</source>
        <translation>扫描方案名称</translation>
    </message>
    <message>
        <source>DistanceSourceToDetector</source>
        <translation>射线源到探测器距离</translation>
    </message>
    <message>
        <source>ExposureTime</source>
        <translation>曝光时间</translation>
    </message>
    <message>
        <source>XRayTubeCurrent</source>
        <translation>管电流</translation>
    </message>
    <message>
        <source>Exposure</source>
        <translation>曝光量</translation>
    </message>
    <message>
        <source>ConvolutionKernel</source>
        <translation>卷积核</translation>
    </message>
    <message>
        <source>PatientPosition</source>
        <translation>患者体位</translation>
    </message>
    <message>
        <source>ViewPosition</source>
        <translation>投照体位</translation>
    </message>
    <message>
        <source>StudyInstanceUID</source>
        <translation>检查实例UID</translation>
    </message>
    <message>
        <source>SeriesInstanceUID</source>
        <translation>序列实例UID</translation>
    </message>
    <message>
        <source>StudyID</source>
        <translation>检查编号</translation>
    </message>
    <message>
        <source>SeriesNumber</source>
        <translation>序列号</translation>
    </message>
    <message>
        <source>AcquisitionNumber</source>
        <translation>采集号</translation>
    </message>
    <message>
        <source>InstanceNumber</source>
        <translation>图像号</translation>
    </message>
    <message>
        <source>ImagePositionPatient</source>
        <translation>图像位置（患者坐标）</translation>
    </message>
    <message>
        <source>ImageOrientationPatient</source>
        <translation>图像方向（患者坐标）</translation>
    </message>
    <message>
        <source>FrameOfReferenceUID</source>
        <translation>参考坐标系UID</translation>
    </message>
    <message>
        <source>Laterality</source>
        <translation>侧别</translation>
    </message>
    <message>
        <source>ImageLaterality</source>
        <translation>图像侧别</translation>
    </message>
    <message>
        <source>SliceLocation</source>
        <translation>层面位置</translation>
    </message>
    <message>
        <source>ImageComments</source>
        <translation>图像备注</translation>
    </message>
    <message>
        <source>SamplesPerPixel</source>
        <translation>每像素采样数</translation>
    </message>
    <message>
        <source>PhotometricInterpretation</source>
        <translation>光度解释</translation>
    </message>
    <message>
        <source>PlanarConfiguration</source>
        <translation>平面配置</translation>
    </message>
    <message>
        <source>NumberOfFrames</source>
        <translation>帧数</translation>
    </message>
    <message>
        <source>Rows</source>
        <translation>行数</translation>
    </message>
    <message>
        <source>Columns</source>
        <translation>列数</translation>
    </message>
    <message>
        <source>PixelSpacing</source>
        <translation>像素间距</translation>
    </message>
    <message>
        <source>ImagerPixelSpacing</source>
        <translation>探测器像素间距</translation>
    </message>
    <message>
        <source>BitsAllocated</source>
        <translation>分配位数</translation>
    </message>
    <message>
        <source>BitsStored</source>
        <translation>存储位数</translation>
    </message>
    <message>
        <source>HighBit</source>
        <translation>最高位</translation>
    </message>
    <message>
        <source>PixelRepresentation</source>
        <translation>像素表示方式</translation>
    </message>
    <message>
        <source>WindowCenter</source>
        <translation>窗位</translation>
    </message>
    <message>
        <source>WindowWidth</source>
        <translation>窗宽</translation>
    </message>
    <message>
        <source>RescaleIntercept</source>
        <translation>重缩放截距</translation>
    </message>
    <message>
        <source>RescaleSlope</source>
        <translation>重缩放斜率</translation>
    </message>
    <message>
        <source>RescaleType</source>
        <translation>重缩放类型</translation>
    </message>
    <message>
        <source>LossyImageCompression</source>
        <translation>有损压缩</translation>
    </message>
    <message>
        <source>BurnedInAnnotation</source>
        <translation>烧录标注</translation>
    </message>
    <message>
        <source>TransferSyntaxUID</source>
        <translation>传输语法UID</translation>
    </message>
    <message>
        <source>PixelData</source>
        <translation>像素数据</translation>
    </message>
    <message>
        <source>VOILUTFunction</source>
        <translation>VOI LUT 函数</translation>
    </message>
    <message>
        <source>PatientIdentityRemoved</source>
        <translation>已去除患者身份</translation>
    </message>
    <message>
        <source>DeidentificationMethod</source>
        <translation>去标识化方法</translation>
    </message>
</context>
<context>
    <name>Failure</name>
    <message>
        <source>Cloister made a mistake it did not expect. Please send the details to support.</source>
        <translation>Cloister 遇到了意料之外的错误。请把详细信息发给技术支持。</translation>
    </message>
    <message>
        <source>%name% cannot be "%value%". Allowed: %allowed%.</source>
        <translation>“%name%”不能设为“%value%”。允许的值：%allowed%。</translation>
    </message>
    <message>
        <source>%path% was not found. Check the name and that the medium is connected.</source>
        <translation>找不到 %path%。请检查名称，并确认存储介质已连接。</translation>
    </message>
    <message>
        <source>%path% already exists. Choose another name or remove it first.</source>
        <translation>%path% 已存在。请换一个名称，或先将其移除。</translation>
    </message>
    <message>
        <source>You may not read or write %path%. Ask its owner for access or choose another folder.</source>
        <translation>您没有读写 %path% 的权限。请向其所有者申请权限，或选择其他文件夹。</translation>
    </message>
    <message>
        <source>%path% cannot be written because its folder or medium is read-only. Choose a writable folder.</source>
        <translation>无法写入 %path%：所在文件夹或介质是只读的。请选择可写的文件夹。</translation>
    </message>
    <message>
        <source>There is no space left for %path%. Free some space or choose another disk; nothing already stored was lost.</source>
        <translation>磁盘空间不足，无法写入 %path%。请释放空间或换一个磁盘；已保存的内容没有丢失。</translation>
    </message>
    <message>
        <source>%path% could not be read or written. Check the disk or cable and try again.</source>
        <translation>无法读写 %path%。请检查磁盘或连接线后重试。</translation>
    </message>
    <message>
        <source>%path% is not a file that this source reads. Choose another source or leave the file out.</source>
        <translation>%path% 不是此数据源能读取的文件。请换一个数据源，或不导入该文件。</translation>
    </message>
    <message>
        <source>%path% is encoded as %encoding%, which no decoder here can read. Convert the file and import it again.</source>
        <translation>%path% 的编码为 %encoding%，本机没有可用的解码器。请转换该文件后重新导入。</translation>
    </message>
    <message>
        <source>%path% is damaged. Get the file again from where it came.</source>
        <translation>%path% 已损坏。请从原处重新获取该文件。</translation>
    </message>
    <message>
        <source>%path% ends too early. Copy the file again from where it came.</source>
        <translation>%path% 不完整。请从原处重新复制该文件。</translation>
    </message>
    <message>
        <source>%path% holds no image. Leave it out; reports and waveforms are not images.</source>
        <translation>%path% 中没有图像。报告和波形不是图像，请不要导入。</translation>
    </message>
    <message>
        <source>%path% is larger than the limit of %limit%. Leave it out or split it.</source>
        <translation>%path% 超过了 %limit% 的上限。请不要导入，或先拆分。</translation>
    </message>
    <message>
        <source>%path% took longer than %seconds% seconds and was given up. Try it alone, or leave it out.</source>
        <translation>%path% 的处理超过 %seconds% 秒，已放弃。请单独重试，或不导入该文件。</translation>
    </message>
    <message>
        <source>%program% ended unexpectedly (%signal%). Nothing already stored was lost; try again, and send the details if it repeats.</source>
        <translation>%program% 意外退出（%signal%）。已保存的内容没有丢失；请重试，若再次出现请发送详细信息。</translation>
    </message>
    <message>
        <source>%program% could not finish. Open the details for its own message.</source>
        <translation>%program% 未能完成。请展开详细信息查看它给出的消息。</translation>
    </message>
    <message>
        <source>The project %path% is open in another window or program (process %pid%). Close it there first.</source>
        <translation>项目 %path% 正被另一个窗口或程序打开（进程 %pid%）。请先在那里关闭它。</translation>
    </message>
    <message>
        <source>The project database %path% is damaged. Restore the copy beside it, or rebuild the index from the files.</source>
        <translation>项目数据库 %path% 已损坏。请恢复旁边的备份，或根据文件重建索引。</translation>
    </message>
    <message>
        <source>%path% was written by a newer Cloister (format %found%, this one reads up to %supported%). Open it with that version.</source>
        <translation>%path% 由更新版本的 Cloister 写入（格式 %found%，本版本最高支持 %supported%）。请用那个版本打开。</translation>
    </message>
    <message>
        <source>This is not allowed: %rule%.</source>
        <translation>不允许此操作：%rule%。</translation>
    </message>
    <message>
        <source>The run cannot go on because its %what% changed since the checkpoint. Start a new run instead.</source>
        <translation>自检查点以来，该训练的%what%已改变，无法继续。请新建一次训练。</translation>
    </message>
    <message>
        <source>Training stopped at step %step%: the loss or gradient was no longer a finite number (batch %batch%). The last good checkpoint was kept; lower the learning rate or check these samples.</source>
        <translation>训练在第 %step% 步停止：损失或梯度不再是有限数值（批次 %batch%）。最后一个正常的检查点已保留；请降低学习率或检查这些样本。</translation>
    </message>
    <message>
        <source>There is not enough memory: %needed% are needed, %free% are free. Choose a smaller micro-batch, image size or model.</source>
        <translation>内存不足：需要 %needed%，可用 %free%。请减小微批次、图像尺寸或换用更小的模型。</translation>
    </message>
    <message>
        <source>The signature does not hold: %reason%. Do not use this bundle; ask the sender for a new copy.</source>
        <translation>签名无效：%reason%。请勿使用此签名包，并向发送方索取新的副本。</translation>
    </message>
    <message>
        <source>The key %name% cannot be used. Choose another key.</source>
        <translation>密钥 %name% 无法使用。请选择其他密钥。</translation>
    </message>
    <message>
        <source>The passphrase for the key %name% is not right. Try again.</source>
        <translation>密钥 %name% 的口令不正确。请重试。</translation>
    </message>
    <message>
        <source>Stopped as asked. What was finished is kept.</source>
        <translation>已按要求停止。已完成的部分已保留。</translation>
    </message>
    <message>
        <source>There is no %what% yet. %next%</source>
        <translation>还没有%what%。%next%</translation>
    </message>
    <message>
        <source>The graphics card cannot be used. Choose the processor as device, or automatic.</source>
        <translation>无法使用显卡。请将设备改为处理器或自动。</translation>
    </message>
    <message>
        <source>There is no NVIDIA driver on this computer. Training runs on the processor.</source>
        <translation>此计算机上没有 NVIDIA 驱动程序。训练将在处理器上运行。</translation>
    </message>
    <message>
        <source>The NVIDIA driver reaches CUDA %found%, and CUDA %wanted% is needed. Update the driver.</source>
        <translation>NVIDIA 驱动程序只支持到 CUDA %found%，需要 CUDA %wanted%。请更新驱动程序。</translation>
    </message>
    <message>
        <source>The NVIDIA driver offers no graphics card. Check that one is built in and given to this computer or container.</source>
        <translation>NVIDIA 驱动程序没有提供显卡。请检查显卡是否已安装，并已分配给此计算机或容器。</translation>
    </message>
    <message>
        <source>This Cloister was built without CUDA. Install one that was built with it.</source>
        <translation>此 Cloister 构建时未启用 CUDA。请安装启用了 CUDA 的版本。</translation>
    </message>
    <message>
        <source>CUDA libraries are missing. Unpack the CUDA archive into Cloister's lib folder, or let CLOISTER_CUDA_LIBS name the site-packages folder of the same PyTorch.</source>
        <translation>缺少 CUDA 库。请将 CUDA 归档解压到 Cloister 的 lib 文件夹，或让 CLOISTER_CUDA_LIBS 指向相同版本 PyTorch 的 site-packages 文件夹。</translation>
    </message>
    <message>
        <source>The CUDA libraries in %path% have version %found%, and %wanted% is needed.</source>
        <translation>%path% 中的 CUDA 库版本为 %found%，需要 %wanted%。</translation>
    </message>
    <message>
        <source>%wanted% processes need as many graphics cards, and there are %found%. Start fewer processes.</source>
        <translation>%wanted% 个进程需要同样多的显卡，而现有 %found% 块。请减少进程数。</translation>
    </message>
    <message>
        <source>%path% is empty. Choose the file that holds the content.</source>
        <translation>%path% 是空文件。请选择有内容的文件。</translation>
    </message>
    <message>
        <source>%path% is not UTF-8 text: line %line%, byte %byte%. Convert it to UTF-8, without NUL bytes, and try again.</source>
        <translation>%path% 不是 UTF-8 文本：第 %line% 行第 %byte% 字节。请转换为不含 NUL 字节的 UTF-8 后重试。</translation>
    </message>
    <message>
        <source>Line %line% of %path% does not hold what is expected there (%why%). Correct the line and try again.</source>
        <translation>%path% 的第 %line% 行不是应有的内容（%why%）。请更正该行后重试。</translation>
    </message>
    <message>
        <source>%path% has %found% lines, but %other% has %expected%. Give files that belong together line by line.</source>
        <translation>%path% 有 %found% 行，而 %other% 有 %expected% 行。请给出逐行对应的文件。</translation>
    </message>
    <message>
        <source>The chat template of %path% could not be used: line %line%, column %column%: %why%. Correct it, or choose a built-in template with --template.</source>
        <translation>无法使用 %path% 的对话模板：第 %line% 行第 %column% 列：%why%。请更正模板，或用 --template 选择内置模板。</translation>
    </message>
</context>
<context>
    <name>Findings</name>
    <message>
        <source>, </source>
        <translation>、</translation>
    </message>
    <message>
        <source>training</source>
        <translation>训练</translation>
    </message>
    <message>
        <source>validation</source>
        <translation>验证</translation>
    </message>
    <message>
        <source>test</source>
        <translation>测试</translation>
    </message>
    <message>
        <source>"%1" has %2 samples, "%3" only %4. Use class weights, and read the result of each class rather than the accuracy alone.</source>
        <translation>“%1”有 %2 个样本，“%3”只有 %4 个。请使用类别权重，并查看每个类别的结果，不要只看准确率。</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <translation>%1（%2）</translation>
    </message>
    <message>
        <source>These classes are missing from a split: %1.</source>
        <translation>以下类别在某个划分中缺失：%1。</translation>
    </message>
    <message>
        <source>All samples have the label "%1": there is nothing to tell apart.</source>
        <translation>所有样本的标签都是“%1”，没有可区分的类别。</translation>
    </message>
    <message>
        <source>All samples of %1 come from one site: the model may learn the site instead of the finding.</source>
        <translation>%1 的所有样本来自同一机构：模型学到的可能是机构，而不是病变。</translation>
    </message>
    <message>
        <source>Label and site go together (Cramér's V %1): the model may learn the site instead of the finding.</source>
        <translation>标签与机构高度相关（Cramér's V %1）：模型学到的可能是机构，而不是病变。</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Meaning</source>
        <translation>语义</translation>
    </message>
    <message>
        <source>Distribution</source>
        <translation>分布</translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) could not be imported.</source>
        <translation>
            <numerusform>有 %Ln 个文件无法导入。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) have the same bytes as another one and were left out.</source>
        <translation>
            <numerusform>有 %Ln 个文件与其他文件内容完全相同，未重复导入。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) were accepted with a repair or a warning.</source>
        <translation>
            <numerusform>有 %Ln 个文件经修复或带警告导入。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln image(s) have two different labels for the same bytes. Decide which one is right, or exclude them.</source>
        <translation>
            <numerusform>有 %Ln 张图像内容相同却有两个不同的标签。请确定哪一个正确，或将其排除。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln of %1 sample(s) have no label and will be left out.</source>
        <translation>
            <numerusform>%1 个样本中有 %Ln 个没有标签，将不纳入。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln of %1 sample(s) name no patient; each counts as a patient of its own. If one person has several images, training and test may share them.</source>
        <translation>
            <numerusform>%1 个样本中有 %Ln 个未注明患者，各按一名患者计。如果同一人有多张图像，训练集与测试集可能都含有此人。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln patient(s) are in more than one of training, validation and test: the result would look better than it is.</source>
        <translation>
            <numerusform>有 %Ln 名患者同时出现在训练、验证、测试中的不止一处：结果会显得比实际更好。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln pair(s) of images on different sides of the split look almost the same. Look at them before you trust the result.</source>
        <translation>
            <numerusform>有 %Ln 对图像分属不同划分却几乎相同。相信结果之前请先查看它们。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>More than %Ln pair(s) of images on different sides of the split look almost the same. Look at them before you trust the result.</source>
        <translation>
            <numerusform>有超过 %Ln 对图像分属不同划分却几乎相同。相信结果之前请先查看它们。</numerusform>
        </translation>
    </message>
    <message>
        <source>running text</source>
        <translation>连续文本</translation>
    </message>
    <message>
        <source>instructions</source>
        <translation>指令</translation>
    </message>
    <message>
        <source>pairs</source>
        <translation>文本对</translation>
    </message>
    <message>
        <source>preferences</source>
        <translation>偏好</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1：%2</translation>
    </message>
    <message numerus="yes">
        <source>%Ln record(s) could not be used and are left out.</source>
        <translation>
            <numerusform>%Ln 条记录无法使用，已略过。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln text(s) are there more than once. Equal texts are always in the same part.</source>
        <translation>
            <numerusform>%Ln 段文本重复出现。相同的文本总在同一部分。</numerusform>
        </translation>
    </message>
    <message>
        <source>No text falls into the part "%1": there are too few.</source>
        <translation>文本太少，没有文本落入“%1”部分。</translation>
    </message>
    <message>
        <source>The texts are of different kinds (%1), which are trained in different ways: choose one kind, or exclude those that do not belong here.</source>
        <translation>文本的种类不同（%1），训练方式也不同：请选择一个种类，或排除不属于这里的文本。</translation>
    </message>
    <message numerus="yes">
        <source>%Ln text(s) of validation and test stand in another part as well, the same but for case, spaces and marks: the result would look better than it is.</source>
        <translation>
            <numerusform>验证集和测试集中有 %Ln 条文本也出现在另一部分，仅大小写、空格和标点不同：结果会显得比实际更好。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln text(s) of validation and test stand in another part as well, almost the same: the result would look better than it is.</source>
        <translation>
            <numerusform>验证集和测试集中有 %Ln 条文本与另一部分的文本几乎相同：结果会显得比实际更好。</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Hardware</name>
    <message>
        <source>This recipe needs %1 of memory and %2 are free: choose a smaller micro-batch, image size or model.</source>
        <translation>此配方需要 %1 内存，可用 %2：请减小微批次、图像尺寸或换用更小的模型。</translation>
    </message>
    <message>
        <source>This recipe needs %1 on disk and %2 are free: free some space or move the project.</source>
        <translation>此配方需要 %1 磁盘空间，可用 %2：请释放空间或移动项目。</translation>
    </message>
    <message>
        <source>%1 can train every image model here; large language models need its memory checked first.</source>
        <translation>%1 可以训练这里的所有图像模型；训练大语言模型前请先确认显存。</translation>
    </message>
    <message>
        <source>This processor lacks AVX2: train the small network only, and expect hours.</source>
        <translation>此处理器不支持 AVX2：只适合训练小型网络，且需要数小时。</translation>
    </message>
    <message>
        <source>Less than 4 GB of memory are free: train the small network with a small micro-batch.</source>
        <translation>可用内存不足 4 GB：请用小型网络和较小的微批次训练。</translation>
    </message>
    <message>
        <source>Good for the small network and for fine-tuning ResNet-18 on a few thousand images; larger models take a night.</source>
        <translation>适合训练小型网络，或用几千张图像微调 ResNet-18；更大的模型需要一整夜。</translation>
    </message>
    <message>
        <source>Good for fine-tuning ResNets and ViT-S on tens of thousands of images; language models want a graphics card.</source>
        <translation>适合用数万张图像微调 ResNet 和 ViT-S；训练语言模型需要显卡。</translation>
    </message>
</context>
<context>
    <name>LanguagePlan</name>
    <message>
        <source>activation checkpointing</source>
        <translation>激活重算（checkpointing）</translation>
    </message>
    <message>
        <source>the loss in pieces</source>
        <translation>分段计算损失</translation>
    </message>
    <message>
        <source>ZeRO stage %1</source>
        <translation>ZeRO 第 %1 级</translation>
    </message>
    <message>
        <source>a micro-batch of %1 (and more gradient accumulation)</source>
        <translation>微批大小 %1（并增加梯度累积）</translation>
    </message>
    <message>
        <source>bfloat16 throughout</source>
        <translation>全程使用 bfloat16</translation>
    </message>
    <message>
        <source>LoRA instead of all weights</source>
        <translation>用 LoRA 代替全部权重训练</translation>
    </message>
    <message>
        <source>QLoRA (the base model in 4 bits)</source>
        <translation>QLoRA（基础模型量化为 4 位）</translation>
    </message>
    <message>
        <source>sequences of %1 tokens</source>
        <translation>序列长度 %1 个词元</translation>
    </message>
    <message>
        <source>%1 cards with ZeRO stage 3</source>
        <translation>%1 张显卡并用 ZeRO 第 3 级</translation>
    </message>
    <message>
        <source>cards of %1</source>
        <translation>%1 的显卡</translation>
    </message>
    <message>
        <source>%1 cards: it fits, %2 are needed on each.</source>
        <translation>%1 显卡：放得下，每张需要 %2。</translation>
    </message>
    <message>
        <source>%1 cards: it does not fit (%2 are needed), and no change of settings makes it fit.</source>
        <translation>%1 显卡：放不下（需要 %2），改变任何设置也放不下。</translation>
    </message>
    <message>
        <source>%1 cards: it does not fit (%2 are needed). With %3 it does: %4.</source>
        <translation>%1 显卡：放不下（需要 %2）。作如下改变即可：%3；届时需要 %4。</translation>
    </message>
    <message>
        <source>%1 cards: it does not fit (%2 are needed). With all of these it does: %3; then %4 are needed.</source>
        <translation>%1 显卡：放不下（需要 %2）。同时采用以下各项即可：%3；届时需要 %4。</translation>
    </message>
    <message>
        <source>, </source>
        <translation>、</translation>
    </message>
    <message>
        <source>Enough alone: %1.</source>
        <translation>单独一项即可的有：%1。</translation>
    </message>
</context>
<context>
    <name>LongTask</name>
    <message>
        <source>%1 of %2</source>
        <translation>%1 / %2</translation>
    </message>
</context>
<context>
    <name>Parameters</name>
    <message>
        <source>Architecture</source>
        <translation>网络结构</translation>
    </message>
    <message>
        <source>small_cnn trains well on a desktop processor. The others carry torchvision's names and can start from weights you bring.</source>
        <translation>small_cnn 适合在台式机处理器上训练。其余结构沿用 torchvision 的命名，可从您提供的权重开始。</translation>
    </message>
    <message>
        <source>Epochs</source>
        <translation>训练轮数</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>学习率</translation>
    </message>
    <message>
        <source>Highest rate, reached after the warm-up. Automatic: 0.00003 with base weights, from scratch 0.001 (AdamW) or 0.02 (SGD).</source>
        <translation>预热结束时达到的最高学习率。自动：使用预训练权重为 0.00003；从头训练为 0.001（AdamW）或 0.02（SGD）。</translation>
    </message>
    <message>
        <source>Batch size</source>
        <translation>批次大小</translation>
    </message>
    <message>
        <source>Samples of one optimizer step, over all processes.</source>
        <translation>所有进程合计，每个优化步所用的样本数。</translation>
    </message>
    <message>
        <source>Augmentation</source>
        <translation>数据增强</translation>
    </message>
    <message>
        <source>Small rotations, shifts, zoom, exposure changes and noise while training, so that the model does not learn single pictures by heart.</source>
        <translation>训练时对图像做小幅旋转、平移、缩放、曝光变化并加入噪声，避免模型死记个别图像。</translation>
    </message>
    <message>
        <source>Class weights</source>
        <translation>类别权重</translation>
    </message>
    <message>
        <source>Balanced: rare classes count as much as frequent ones.</source>
        <translation>均衡：稀有类别与常见类别同等重要。</translation>
    </message>
    <message>
        <source>Optimizer</source>
        <translation>优化器</translation>
    </message>
    <message>
        <source>AdamW with decoupled weight decay, or SGD with Nesterov momentum.</source>
        <translation>采用解耦权重衰减的 AdamW，或带 Nesterov 动量的 SGD。</translation>
    </message>
    <message>
        <source>Weight decay</source>
        <translation>权重衰减</translation>
    </message>
    <message>
        <source>On matrices and convolutions only. Automatic: 0.01 (AdamW) or 0.0001 (SGD).</source>
        <translation>仅作用于矩阵和卷积核。自动：0.01（AdamW）或 0.0001（SGD）。</translation>
    </message>
    <message>
        <source>Momentum</source>
        <translation>动量</translation>
    </message>
    <message>
        <source>For SGD.</source>
        <translation>用于 SGD。</translation>
    </message>
    <message>
        <source>Schedule</source>
        <translation>学习率调度</translation>
    </message>
    <message>
        <source>How the learning rate goes on after the warm-up.</source>
        <translation>预热之后学习率如何变化。</translation>
    </message>
    <message>
        <source>Warm-up epochs</source>
        <translation>预热轮数</translation>
    </message>
    <message>
        <source>The learning rate rises from zero over this time.</source>
        <translation>学习率在这段时间内从零上升。</translation>
    </message>
    <message>
        <source>Micro-batch</source>
        <translation>微批次</translation>
    </message>
    <message>
        <source>Samples held in memory at once; smaller ones accumulate gradients up to the batch size. Automatic: the batch size.</source>
        <translation>同时放入内存的样本数；较小时会累积梯度直至达到批次大小。自动：等于批次大小。</translation>
    </message>
    <message>
        <source>Dropout</source>
        <translation>Dropout</translation>
    </message>
    <message>
        <source>Before the output layer; in vision transformers in each block.</source>
        <translation>位于输出层之前；视觉 Transformer 中位于每个模块内。</translation>
    </message>
    <message>
        <source>Label smoothing</source>
        <translation>标签平滑</translation>
    </message>
    <message>
        <source>Moves this share of the certainty to the other classes; 0.05 to 0.1 helps with labels that are sometimes wrong.</source>
        <translation>把这一比例的置信度分给其他类别；标签偶有错误时，0.05 到 0.1 有帮助。</translation>
    </message>
    <message>
        <source>Gradient clipping</source>
        <translation>梯度裁剪</translation>
    </message>
    <message>
        <source>Largest gradient norm of a step; 0 switches it off.</source>
        <translation>每步梯度范数的上限；0 表示关闭。</translation>
    </message>
    <message>
        <source>Gradient limit</source>
        <translation>梯度上限</translation>
    </message>
    <message>
        <source>A gradient norm beyond this ends the run with the batch named; the last checkpoint stays.</source>
        <translation>梯度范数超过此值时结束训练并指出所在批次；最后一个检查点保留。</translation>
    </message>
    <message>
        <source>Weight averaging</source>
        <translation>权重平均</translation>
    </message>
    <message>
        <source>Decay of the moving average of the weights that is validated and handed out. Automatic: the last fiftieth of the run; 0 switches it off.</source>
        <translation>用于验证和导出的权重滑动平均的衰减系数。自动：约取训练最后五十分之一；0 表示关闭。</translation>
    </message>
    <message>
        <source>Early stop</source>
        <translation>提前停止</translation>
    </message>
    <message>
        <source>Ends the run after this many epochs without a better validation result; 0 switches it off.</source>
        <translation>验证结果连续这么多轮没有改善时结束训练；0 表示关闭。</translation>
    </message>
    <message>
        <source>Choose the best by</source>
        <translation>最佳模型依据</translation>
    </message>
    <message>
        <source>The validation result that decides which weights are kept. Equal results: the lower loss.</source>
        <translation>决定保留哪组权重的验证指标。结果相同时取损失较低者。</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>计算精度</translation>
    </message>
    <message>
        <source>bf16</source>
        <translation>BF16</translation>
    </message>
    <message>
        <source>Train the output layer only</source>
        <translation>只训练输出层</translation>
    </message>
    <message>
        <source>Keeps the base weights as they are; for very few samples.</source>
        <translation>保持预训练权重不变；适用于样本极少的情况。</translation>
    </message>
    <message>
        <source>Checkpoint every</source>
        <translation>检查点间隔</translation>
    </message>
    <message>
        <source>At most this much work is lost when the computer goes off; 0 saves after every step.</source>
        <translation>断电时最多丢失这么长时间的训练；0 表示每步都保存。</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>线程数</translation>
    </message>
    <message>
        <source>0: one for each processor.</source>
        <translation>0：每个处理器一个线程。</translation>
    </message>
    <message>
        <source>Mirror left and right</source>
        <translation>左右镜像</translation>
    </message>
    <message>
        <source>Off for chest images: mirroring moves the heart to the other side.</source>
        <translation>胸部图像请关闭：镜像会使心脏换到另一侧。</translation>
    </message>
    <message>
        <source>Rotation</source>
        <translation>旋转</translation>
    </message>
    <message>
        <source>Largest rotation either way. Automatic: by the augmentation above.</source>
        <translation>向两侧旋转的最大角度。自动：由上面的数据增强决定。</translation>
    </message>
    <message>
        <source>Shift</source>
        <translation>平移</translation>
    </message>
    <message>
        <source>Largest shift as a share of the side. Automatic: by the augmentation above.</source>
        <translation>最大平移量，按边长的比例。自动：由上面的数据增强决定。</translation>
    </message>
    <message>
        <source>Zoom</source>
        <translation>缩放</translation>
    </message>
    <message>
        <source>Largest relative zoom in or out. Automatic: by the augmentation above.</source>
        <translation>放大或缩小的最大比例。自动：由上面的数据增强决定。</translation>
    </message>
    <message>
        <source>Brightness</source>
        <translation>亮度</translation>
    </message>
    <message>
        <source>Largest shift of the grey values, 1 is the whole range. Automatic: by the augmentation above.</source>
        <translation>灰度值的最大偏移，1 为整个范围。自动：由上面的数据增强决定。</translation>
    </message>
    <message>
        <source>Contrast</source>
        <translation>对比度</translation>
    </message>
    <message>
        <source>Largest relative change of contrast. Automatic: by the augmentation above.</source>
        <translation>对比度的最大相对变化。自动：由上面的数据增强决定。</translation>
    </message>
    <message>
        <source>Gamma</source>
        <translation>伽马</translation>
    </message>
    <message>
        <source>Largest change of the logarithm of the exponent of the grey curve. Automatic: by the augmentation above.</source>
        <translation>灰度曲线指数的对数的最大变化。自动：由上面的数据增强决定。</translation>
    </message>
    <message>
        <source>Noise</source>
        <translation>噪声</translation>
    </message>
    <message>
        <source>Largest standard deviation of added noise, 1 is the whole range. Automatic: by the augmentation above.</source>
        <translation>所加噪声的最大标准差，1 为整个范围。自动：由上面的数据增强决定。</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>Which frames of a multi-frame object become samples.</source>
        <translation>多帧对象中哪些帧作为样本。</translation>
    </message>
    <message>
        <source>Only modality</source>
        <translation>仅限检查类型</translation>
    </message>
    <message>
        <source>Import only objects of these modalities, for example CR,DX. Empty imports all.</source>
        <translation>只导入这些检查类型的对象，例如 CR,DX。留空则全部导入。</translation>
    </message>
    <message>
        <source>Class from folder</source>
        <translation>由文件夹确定类别</translation>
    </message>
    <message>
        <source>The folder that names the class of an image: the one it lies in, the first below the import, or none.</source>
        <translation>用哪个文件夹的名称作为图像类别：所在的文件夹、导入目录下的第一级文件夹，或不使用。</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>页</translation>
    </message>
    <message>
        <source>Which pages of a TIFF become samples.</source>
        <translation>TIFF 中哪些页作为样本。</translation>
    </message>
    <message>
        <source>Separator</source>
        <translation>分隔符</translation>
    </message>
    <message>
        <source>The character between columns. Empty: detected.</source>
        <translation>列之间的分隔字符。留空则自动识别。</translation>
    </message>
    <message>
        <source>Encoding</source>
        <translation>编码</translation>
    </message>
    <message>
        <source>How characters are stored. Auto: byte order mark, UTF-8, GB18030, Latin-1, in this order.</source>
        <translation>字符的存储方式。自动：依次尝试字节序标记、UTF-8、GB18030、Latin-1。</translation>
    </message>
    <message>
        <source>UTF-8</source>
        <translation>UTF-8</translation>
    </message>
    <message>
        <source>UTF-16</source>
        <translation>UTF-16</translation>
    </message>
    <message>
        <source>GB18030</source>
        <translation>GB18030</translation>
    </message>
    <message>
        <source>ISO-8859-1</source>
        <translation>ISO-8859-1</translation>
    </message>
    <message>
        <source>Decimal sign</source>
        <translation>小数点</translation>
    </message>
    <message>
        <source>Point or comma.</source>
        <translation>点或逗号。</translation>
    </message>
    <message>
        <source>First row is a header</source>
        <translation>首行为列名</translation>
    </message>
    <message>
        <source>Auto: text above numbers, or names that differ.</source>
        <translation>自动：数字上方是文字，或名称互不相同。</translation>
    </message>
    <message>
        <source>Calibration</source>
        <translation>校准</translation>
    </message>
    <message>
        <source>How the range of each activation is chosen for static int8. Automatic: all ways are tried, the one that changes the model's answers least is kept.</source>
        <translation>静态 int8 中每个激活值范围的确定方式。自动：尝试所有方式，保留对模型输出影响最小的一种。</translation>
    </message>
    <message>
        <source>Largest accuracy drop</source>
        <translation>准确率最大降幅</translation>
    </message>
    <message>
        <source>Layers stay in float as long as int8 would cost more accuracy than this on the validation split; 0.01 is one percent.</source>
        <translation>若 int8 在验证集上造成的准确率损失超过此值，相应层保留为浮点；0.01 即百分之一。</translation>
    </message>
    <message>
        <source>Calibration samples</source>
        <translation>校准样本数</translation>
    </message>
    <message>
        <source>Training images from which the ranges of activations are measured.</source>
        <translation>用于测定激活值范围的训练图像。</translation>
    </message>
    <message>
        <source>Percentile</source>
        <translation>百分位</translation>
    </message>
    <message>
        <source>For the percentile calibration: this share of the values lies inside the range.</source>
        <translation>用于百分位校准：这一比例的数值落在范围内。</translation>
    </message>
    <message>
        <source>Processor threads for timing and checking; 0 takes all.</source>
        <translation>计时和校验所用的处理器线程数；0 表示全部。</translation>
    </message>
    <message>
        <source>Passes over the training samples. Automatic: about 15,000 samples in all from scratch (10 to 60 passes), half of that with base weights (5 to 30).</source>
        <translation>遍历训练样本的次数。自动：从头训练时总共约 15,000 个样本（10 到 60 轮），使用预训练权重时减半（5 到 30 轮）。</translation>
    </message>
    <message>
        <source>Curve points every</source>
        <translation>曲线取点间隔</translation>
    </message>
    <message>
        <source>Shortest time between two points of the training curve; 0 writes every step.</source>
        <translation>训练曲线上相邻两点的最短时间间隔；0 表示每步都记录。</translation>
    </message>
    <message>
        <source>Small CNN</source>
        <translation>小型 CNN</translation>
    </message>
    <message>
        <source>ResNet-18</source>
        <translation>ResNet-18</translation>
    </message>
    <message>
        <source>ResNet-34</source>
        <translation>ResNet-34</translation>
    </message>
    <message>
        <source>ResNet-50</source>
        <translation>ResNet-50</translation>
    </message>
    <message>
        <source>ViT-S/16</source>
        <translation>ViT-S/16</translation>
    </message>
    <message>
        <source>None</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>轻度</translation>
    </message>
    <message>
        <source>Standard</source>
        <translation>标准</translation>
    </message>
    <message>
        <source>Strong</source>
        <translation>强</translation>
    </message>
    <message>
        <source>Balanced</source>
        <translation>均衡</translation>
    </message>
    <message>
        <source>AdamW</source>
        <translation>AdamW</translation>
    </message>
    <message>
        <source>SGD</source>
        <translation>SGD</translation>
    </message>
    <message>
        <source>Cosine</source>
        <translation>余弦</translation>
    </message>
    <message>
        <source>Constant</source>
        <translation>恒定</translation>
    </message>
    <message>
        <source>epochs</source>
        <translation>轮</translation>
    </message>
    <message>
        <source>AUC</source>
        <translation>AUC</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>损失</translation>
    </message>
    <message>
        <source>Accuracy</source>
        <translation>准确率</translation>
    </message>
    <message>
        <source>Balanced accuracy</source>
        <translation>均衡准确率</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>FP32</source>
        <translation>FP32</translation>
    </message>
    <message>
        <source>min</source>
        <translation>分钟</translation>
    </message>
    <message>
        <source>s</source>
        <translation>秒</translation>
    </message>
    <message>
        <source>°</source>
        <translation>°</translation>
    </message>
    <message>
        <source>All</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>First</source>
        <translation>第一帧</translation>
    </message>
    <message>
        <source>Middle</source>
        <translation>中间一帧</translation>
    </message>
    <message>
        <source>Folder of the file</source>
        <translation>文件所在文件夹</translation>
    </message>
    <message>
        <source>Folder below the chosen one</source>
        <translation>所选文件夹的下一级</translation>
    </message>
    <message>
        <source>Point</source>
        <translation>句点</translation>
    </message>
    <message>
        <source>Comma</source>
        <translation>逗号</translation>
    </message>
    <message>
        <source>Yes</source>
        <translation>是</translation>
    </message>
    <message>
        <source>No</source>
        <translation>否</translation>
    </message>
    <message>
        <source>Minimum and maximum</source>
        <translation>最小值与最大值</translation>
    </message>
    <message>
        <source>Entropy</source>
        <translation>熵</translation>
    </message>
    <message>
        <source>%</source>
        <translation>%</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>Where the training computes. Automatic: on an NVIDIA graphics card where one can be used, else on the processor.</source>
        <translation>训练在哪里计算。自动：有可用的 NVIDIA 显卡时使用显卡，否则使用处理器。</translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>处理器</translation>
    </message>
    <message>
        <source>Graphics card</source>
        <translation>显卡</translation>
    </message>
    <message>
        <source>bf16 computes convolutions and matrix products in bfloat16. Automatic: where the device has fast units for it (AMX, NVIDIA cards since Ampere).</source>
        <translation>bf16 以 bfloat16 计算卷积和矩阵乘积。自动：设备有相应的快速单元时启用（AMX、Ampere 及以后的 NVIDIA 显卡）。</translation>
    </message>
    <message>
        <source>Method</source>
        <translation>方法</translation>
    </message>
    <message>
        <source>All weights</source>
        <translation>全部权重</translation>
    </message>
    <message>
        <source>LoRA</source>
        <translation>LoRA</translation>
    </message>
    <message>
        <source>From scratch only; with a base model its own architecture counts.</source>
        <translation>仅用于从头训练；有基础模型时以其自身的架构为准。</translation>
    </message>
    <message>
        <source>LLaMA, 1 M</source>
        <translation>LLaMA，1 M</translation>
    </message>
    <message>
        <source>LLaMA, 3 M</source>
        <translation>LLaMA，3 M</translation>
    </message>
    <message>
        <source>LLaMA, 10 M</source>
        <translation>LLaMA，10 M</translation>
    </message>
    <message>
        <source>LLaMA, 30 M</source>
        <translation>LLaMA，30 M</translation>
    </message>
    <message>
        <source>LLaMA, 100 M</source>
        <translation>LLaMA，100 M</translation>
    </message>
    <message>
        <source>LLaMA, 300 M</source>
        <translation>LLaMA，300 M</translation>
    </message>
    <message>
        <source>LLaMA, 1 B</source>
        <translation>LLaMA，1 B</translation>
    </message>
    <message>
        <source>DeepSeek-V3, 30 M</source>
        <translation>DeepSeek-V3，30 M</translation>
    </message>
    <message>
        <source>Sequence length</source>
        <translation>序列长度</translation>
    </message>
    <message>
        <source>Tokens the model sees at once while training.</source>
        <translation>训练时模型一次看到的词元数。</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>词元</translation>
    </message>
    <message>
        <source>Sequences held in memory at once; smaller ones accumulate gradients up to the batch size. Automatic: the batch size.</source>
        <translation>同时放在内存中的序列数；较小时累积梯度直到批大小。自动：等于批大小。</translation>
    </message>
    <message>
        <source>Most steps</source>
        <translation>最多步数</translation>
    </message>
    <message>
        <source>Ends the run after this many optimizer steps; 0: as the epochs give.</source>
        <translation>达到此优化步数后结束；0：由轮数决定。</translation>
    </message>
    <message>
        <source>Vocabulary</source>
        <translation>词表</translation>
    </message>
    <message>
        <source>From scratch: number of tokens of the tokenizer; 0: that of the architecture.</source>
        <translation>从头训练：分词器的词元数；0：采用架构自带的大小。</translation>
    </message>
    <message>
        <source>LoRA rank</source>
        <translation>LoRA 秩</translation>
    </message>
    <message>
        <source>Width of the adapters: more learns more and takes more memory.</source>
        <translation>适配器的宽度：越大学得越多，占用内存也越多。</translation>
    </message>
    <message>
        <source>LoRA alpha</source>
        <translation>LoRA alpha</translation>
    </message>
    <message>
        <source>What the adapters add counts alpha / rank. Automatic: twice the rank.</source>
        <translation>适配器的增量按 alpha / 秩 计入。自动：秩的两倍。</translation>
    </message>
    <message>
        <source>LoRA layers</source>
        <translation>LoRA 层</translation>
    </message>
    <message>
        <source>Names of the layers with commas, for example q_proj, v_proj. Empty: every linear layer except the output layer and routed experts.</source>
        <translation>以逗号分隔的层名，例如 q_proj, v_proj。留空：除输出层和路由专家外的所有线性层。</translation>
    </message>
    <message>
        <source>Beta 1</source>
        <translation>Beta 1</translation>
    </message>
    <message>
        <source>AdamW: how long gradients are averaged.</source>
        <translation>AdamW：梯度平均的时长。</translation>
    </message>
    <message>
        <source>Beta 2</source>
        <translation>Beta 2</translation>
    </message>
    <message>
        <source>AdamW: how long squared gradients are averaged. Automatic: 0.95 from scratch, else 0.999.</source>
        <translation>AdamW：梯度平方平均的时长。自动：从头训练为 0.95，否则为 0.999。</translation>
    </message>
    <message>
        <source>Warm-up steps</source>
        <translation>预热步数</translation>
    </message>
    <message>
        <source>The learning rate rises from zero over these steps; -1: 3 % of the run.</source>
        <translation>学习率在这些步内从零上升；-1：全程的 3 %。</translation>
    </message>
    <message>
        <source>Shuffle</source>
        <translation>打乱</translation>
    </message>
    <message>
        <source>A new order of the sequences in every epoch; off: the order of the data.</source>
        <translation>每轮使用新的序列顺序；关闭：按数据原有顺序。</translation>
    </message>
    <message>
        <source>Keep documents apart</source>
        <translation>隔开文档</translation>
    </message>
    <message>
        <source>Texts packed into one sequence do not see each other.</source>
        <translation>打包进同一序列的文本互不可见。</translation>
    </message>
    <message>
        <source>Validate every</source>
        <translation>验证间隔</translation>
    </message>
    <message>
        <source>0: at the end of each epoch.</source>
        <translation>0：每轮结束时。</translation>
    </message>
    <message>
        <source>steps</source>
        <translation>步</translation>
    </message>
    <message>
        <source>Expert balancing</source>
        <translation>专家均衡</translation>
    </message>
    <message>
        <source>DeepSeek-V3: how far the choice of experts is corrected after each step so that all are used; 0 switches it off.</source>
        <translation>DeepSeek-V3：每步之后对专家选择的修正幅度，使所有专家都被用到；0 表示关闭。</translation>
    </message>
    <message>
        <source>bf16 computes matrix products in bfloat16. Automatic: where the device has fast units for it (AMX, NVIDIA cards since Ampere).</source>
        <translation>bf16 以 bfloat16 计算矩阵乘积。自动：设备有相应的快速单元时启用（AMX，Ampere 及以后的 NVIDIA 显卡）。</translation>
    </message>
    <message>
        <source>DPO (preferences)</source>
        <translation>DPO（偏好）</translation>
    </message>
    <message>
        <source>Passes over the training text. Automatic: 1 from scratch and with DPO, 3 on a base model.</source>
        <translation>遍历训练文本的次数。自动：从零训练和 DPO 为 1，在基础模型上为 3。</translation>
    </message>
    <message>
        <source>Highest rate, reached after the warm-up. Automatic: 0.00003 on a base model, 0.0002 with LoRA, 0.001 from scratch, 0.00001 for DPO with LoRA, 0.000001 for DPO of all weights.</source>
        <translation>预热结束后达到的最高学习率。自动：基础模型 0.00003，LoRA 0.0002，从零训练 0.001，LoRA 方式的 DPO 0.00001，全部权重的 DPO 0.000001。</translation>
    </message>
    <message>
        <source>Sequences of one optimizer step; with DPO, pairs.</source>
        <translation>一个优化器步骤的序列数；DPO 时为回答对数。</translation>
    </message>
    <message>
        <source>DPO trains</source>
        <translation>DPO 训练对象</translation>
    </message>
    <message>
        <source>With DPO: adapters beside the base model, or all its weights.</source>
        <translation>用于 DPO：训练基础模型旁的适配器，或其全部权重。</translation>
    </message>
    <message>
        <source>DPO beta</source>
        <translation>DPO beta</translation>
    </message>
    <message>
        <source>With DPO: the higher, the closer the model stays to the one it started from.</source>
        <translation>用于 DPO：值越大，模型越接近训练开始时的模型。</translation>
    </message>
    <message>
        <source>DPO loss</source>
        <translation>DPO 损失</translation>
    </message>
    <message>
        <source>With DPO: sigmoid is the published one; robust reckons with pairs that are the wrong way round; IPO guards against learning the pairs by heart.</source>
        <translation>用于 DPO：Sigmoid 是论文原版；稳健损失考虑到部分回答对的顺序可能颠倒；IPO 防止死记硬背回答对。</translation>
    </message>
    <message>
        <source>Sigmoid (DPO)</source>
        <translation>Sigmoid（DPO）</translation>
    </message>
    <message>
        <source>Robust</source>
        <translation>稳健</translation>
    </message>
    <message>
        <source>Hinge (SLiC)</source>
        <translation>合页（SLiC）</translation>
    </message>
    <message>
        <source>IPO</source>
        <translation>IPO</translation>
    </message>
    <message>
        <source>With DPO and the losses sigmoid and robust: the share of pairs taken to be the wrong way round.</source>
        <translation>用于 DPO 的 sigmoid 与 robust 损失：假定顺序颠倒的回答对所占比例。</translation>
    </message>
    <message>
        <source>On matrices only. Automatic: 0.1 from scratch, 0.01 on a base model, 0 with LoRA and with DPO.</source>
        <translation>仅作用于矩阵。自动：从零训练 0.1，基础模型 0.01，LoRA 与 DPO 为 0。</translation>
    </message>
    <message>
        <source>Kind of text</source>
        <translation>文本种类</translation>
    </message>
    <message>
        <source>Automatic: by the names of the members of the first records; tables are pairs, other files running text.</source>
        <translation>自动：按前几条记录的字段名判断；表格视为文本对，其他文件视为连续文本。</translation>
    </message>
    <message>
        <source>Running text</source>
        <translation>连续文本</translation>
    </message>
    <message>
        <source>Instructions with answers</source>
        <translation>指令与回答</translation>
    </message>
    <message>
        <source>Pairs (translation, summary)</source>
        <translation>文本对（翻译、摘要）</translation>
    </message>
    <message>
        <source>Preferences (better and worse answer)</source>
        <translation>偏好（较好与较差的回答）</translation>
    </message>
    <message>
        <source>One document is</source>
        <translation>一篇文档是</translation>
    </message>
    <message>
        <source>Of running text: what belongs together. Paragraphs are separated by empty lines.</source>
        <translation>用于连续文本：哪些内容属于一体。段落以空行分隔。</translation>
    </message>
    <message>
        <source>The file</source>
        <translation>整个文件</translation>
    </message>
    <message>
        <source>A line</source>
        <translation>一行</translation>
    </message>
    <message>
        <source>A paragraph</source>
        <translation>一段</translation>
    </message>
    <message>
        <source>Prompt of a pair</source>
        <translation>文本对的提示</translation>
    </message>
    <message>
        <source>What the model is given of a pair; {source} is replaced. Empty: the source and a new line.</source>
        <translation>文本对中交给模型的内容；{source} 会被替换。留空：源文本加换行。</translation>
    </message>
    <message>
        <source>Columns of a pair</source>
        <translation>文本对的列</translation>
    </message>
    <message>
        <source>Tables with tabs: the columns of source and target, counted from 1.</source>
        <translation>制表符分隔的表格：源和目标所在的列，从 1 数起。</translation>
    </message>
    <message>
        <source>LoRA trains small adapters beside a base model that stays as it is: a fraction of the memory, and a file of a few megabytes. QLoRA does the same on a base model held in four bits, for still less memory. DPO learns from pairs of a better and a worse answer to the same question.</source>
        <translation>LoRA 在保持基础模型不变的情况下训练小型适配器：只需一小部分内存，文件只有几兆字节。QLoRA 做法相同，但基础模型以四比特存放，内存更少。DPO 从同一问题的较好与较差回答对中学习。</translation>
    </message>
    <message>
        <source>QLoRA (4-bit base)</source>
        <translation>QLoRA（4 比特基础模型）</translation>
    </message>
    <message>
        <source>Activation checkpointing</source>
        <translation>激活检查点</translation>
    </message>
    <message>
        <source>Keeps only the input of each layer and computes the rest again: much less memory, about a third more time, the same result. Automatic: where the memory would not be enough without it.</source>
        <translation>只保留每层的输入，其余重新计算：内存大大减少，时间约多三分之一，结果相同。自动：在内存不够时启用。</translation>
    </message>
    <message>
        <source>On</source>
        <translation>开</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>关</translation>
    </message>
    <message>
        <source>Written samples</source>
        <translation>写作示例</translation>
    </message>
    <message>
        <source>At each validation the model writes on from a validation text, for you to read; 0: nothing.</source>
        <translation>每次验证时，模型接着一段验证文本往下写，供您阅读；0：不写。</translation>
    </message>
    <message>
        <source>Attention dropout</source>
        <translation>注意力丢弃率</translation>
    </message>
    <message>
        <source>Share of attention weights that fall in training, for small data; -1: as the model's configuration says, which is 0 for the published models.</source>
        <translation>训练时丢弃的注意力权重所占比例，适用于数据较少的情况；-1：按模型配置，已发布的模型均为 0。</translation>
    </message>
    <message>
        <source>Multi-token prediction</source>
        <translation>多词元预测</translation>
    </message>
    <message>
        <source>DeepSeek-V3, all weights: what the loss of its prediction layers counts (published: 0.3, later 0.1); 0: they stay as they are.</source>
        <translation>DeepSeek-V3、训练全部权重时：预测层损失的权重（论文先为 0.3，后为 0.1）；0：预测层保持不变。</translation>
    </message>
</context>
<context>
    <name>Plugins</name>
    <message>
        <source>Image classifier</source>
        <translation>图像分类器</translation>
    </message>
    <message>
        <source>DICOM</source>
        <translation>DICOM</translation>
    </message>
    <message>
        <source>Image folders</source>
        <translation>图像文件夹</translation>
    </message>
    <message>
        <source>Table (CSV)</source>
        <translation>表格（CSV）</translation>
    </message>
    <message>
        <source>ONNX</source>
        <translation>ONNX</translation>
    </message>
    <message>
        <source>Language model</source>
        <translation>语言模型</translation>
    </message>
    <message>
        <source>Texts</source>
        <translation>文本</translation>
    </message>
</context>
<context>
    <name>Report</name>
    <message>
        <source>Accuracy</source>
        <translation>准确率</translation>
    </message>
    <message>
        <source>Balanced accuracy</source>
        <translation>均衡准确率</translation>
    </message>
    <message>
        <source>AUC</source>
        <translation>AUC</translation>
    </message>
    <message>
        <source>F1</source>
        <translation>F1</translation>
    </message>
    <message>
        <source>Sensitivity</source>
        <translation>灵敏度</translation>
    </message>
    <message>
        <source>Specificity</source>
        <translation>特异度</translation>
    </message>
    <message>
        <source>Calibration error (ECE)</source>
        <translation>校准误差（ECE）</translation>
    </message>
    <message>
        <source>Brier score</source>
        <translation>Brier 分数</translation>
    </message>
    <message>
        <source>Log loss</source>
        <translation>对数损失</translation>
    </message>
    <message>
        <source>Average precision</source>
        <translation>平均精确率</translation>
    </message>
    <message>
        <source>95 % interval %1–%2</source>
        <translation>95 % 区间 %1–%2</translation>
    </message>
    <message>
        <source>True class</source>
        <translation>真实类别</translation>
    </message>
    <message>
        <source>Said: %1</source>
        <translation>预测：%1</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <translation>%1（%2）</translation>
    </message>
    <message>
        <source>Confusion matrix</source>
        <translation>混淆矩阵</translation>
    </message>
    <message>
        <source>ROC curve</source>
        <translation>ROC 曲线</translation>
    </message>
    <message>
        <source>False positive rate</source>
        <translation>假阳性率</translation>
    </message>
    <message>
        <source>True positive rate</source>
        <translation>真阳性率</translation>
    </message>
    <message>
        <source>Precision–recall curve</source>
        <translation>精确率–召回率曲线</translation>
    </message>
    <message>
        <source>Recall</source>
        <translation>召回率</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>精确率</translation>
    </message>
    <message>
        <source>Calibration plot</source>
        <translation>校准图</translation>
    </message>
    <message>
        <source>Confidence</source>
        <translation>置信度</translation>
    </message>
    <message>
        <source>Attack success rate over ε</source>
        <translation>攻击成功率随 ε 的变化</translation>
    </message>
    <message>
        <source>ε in grey levels (of 255)</source>
        <translation>ε（灰度级，共 255）</translation>
    </message>
    <message>
        <source>Attack success rate</source>
        <translation>攻击成功率</translation>
    </message>
    <message>
        <source>Original: %1</source>
        <translation>原图：%1</translation>
    </message>
    <message>
        <source>Difference × 10</source>
        <translation>差异 × 10</translation>
    </message>
    <message>
        <source>Attacked: %1</source>
        <translation>攻击后：%1</translation>
    </message>
    <message>
        <source>%1, ε %2 grey levels: %3 → %4</source>
        <translation>%1，ε %2 灰度级：%3 → %4</translation>
    </message>
    <message>
        <source>Runtime</source>
        <translation>运行库</translation>
    </message>
    <message>
        <source>Batch</source>
        <translation>批次</translation>
    </message>
    <message>
        <source>p50</source>
        <translation>p50</translation>
    </message>
    <message>
        <source>p95</source>
        <translation>p95</translation>
    </message>
    <message>
        <source>p99</source>
        <translation>p99</translation>
    </message>
    <message>
        <source>Conditions</source>
        <translation>条件</translation>
    </message>
    <message>
        <source>Latency</source>
        <translation>延迟</translation>
    </message>
    <message>
        <source>Class</source>
        <translation>类别</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>样本</translation>
    </message>
    <message>
        <source>Results by class</source>
        <translation>各类别结果</translation>
    </message>
    <message>
        <source>Site</source>
        <translation>机构</translation>
    </message>
    <message>
        <source>Modality</source>
        <translation>检查类型</translation>
    </message>
    <message>
        <source>(not given)</source>
        <translation>（未注明）</translation>
    </message>
    <message>
        <source>By</source>
        <translation>依据</translation>
    </message>
    <message>
        <source>Group</source>
        <translation>组</translation>
    </message>
    <message>
        <source>Results by group</source>
        <translation>各组结果</translation>
    </message>
    <message>
        <source>True: %1
Said: %2 (%3)</source>
        <translation>真实：%1
预测：%2（%3）</translation>
    </message>
    <message>
        <source>ε, length of the whole change (L2)</source>
        <translation>ε（整体改动的长度，L2）</translation>
    </message>
    <message>
        <source>Some gradients are exactly zero, so the attacks may be blind there.</source>
        <translation>部分梯度恰好为零，攻击在这些样本上可能失明。</translation>
    </message>
    <message>
        <source>The model answers differently each time, which hides weaknesses from these attacks.</source>
        <translation>模型每次给出的结果不同，这会让攻击看不到它的弱点。</translation>
    </message>
    <message>
        <source>The model gives probabilities instead of logits, which weakens the attacks.</source>
        <translation>模型给出的是概率而不是 logits，这会削弱攻击。</translation>
    </message>
    <message>
        <source>PGD did worse than FGSM, which a sound attack does not: more steps are needed.</source>
        <translation>PGD 的效果不如 FGSM，正常的攻击不会这样：需要更多步数。</translation>
    </message>
    <message>
        <source>The success rate falls for a larger ε, which a sound attack does not show.</source>
        <translation>ε 增大时成功率反而下降，正常的攻击不会这样。</translation>
    </message>
    <message>
        <source>Even the full range of grey levels does not mislead the model: its gradients are probably masked.</source>
        <translation>即使改动整个灰度范围也无法误导模型：它的梯度很可能被掩盖了。</translation>
    </message>
    <message>
        <source>%1, %2</source>
        <translation>%1，%2</translation>
    </message>
    <message>
        <source>%1, %2 warm-up, %3 timed</source>
        <translation>%1，预热 %2 次，计时 %3 次</translation>
    </message>
    <message>
        <source>Number format</source>
        <translation>数值格式</translation>
    </message>
    <message>
        <source>Base model: %1</source>
        <translation>基础模型：%1</translation>
    </message>
    <message>
        <source>Perplexity</source>
        <translation>困惑度</translation>
    </message>
    <message>
        <source>Loss per token</source>
        <translation>每词元损失</translation>
    </message>
    <message>
        <source>Exact match (%)</source>
        <translation>完全匹配（%）</translation>
    </message>
    <message>
        <source>%1 texts</source>
        <translation>%1 条文本</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>提示</translation>
    </message>
    <message>
        <source>Reference</source>
        <translation>参考答案</translation>
    </message>
    <message>
        <source>This model</source>
        <translation>本模型</translation>
    </message>
    <message>
        <source>Base model</source>
        <translation>基础模型</translation>
    </message>
    <message>
        <source>Answers side by side</source>
        <translation>回答对照</translation>
    </message>
    <message>
        <source>ε as a share of a word's vector</source>
        <translation>ε（占词向量的比例）</translation>
    </message>
    <message>
        <source>Attack</source>
        <translation>攻击</translation>
    </message>
    <message>
        <source>Success rate</source>
        <translation>成功率</translation>
    </message>
    <message>
        <source>Still reads the same</source>
        <translation>读起来仍相同</translation>
    </message>
    <message>
        <source>Reads as, for example</source>
        <translation>读作（示例）</translation>
    </message>
    <message>
        <source>Attacks in embedding space</source>
        <translation>嵌入空间中的对抗攻击</translation>
    </message>
    <message>
        <source>%1, prompt of %2 tokens, %3 rounds</source>
        <translation>%1，提示 %2 个词元，%3 轮</translation>
    </message>
    <message>
        <source>First token</source>
        <translation>首个词元</translation>
    </message>
    <message>
        <source>Each further token</source>
        <translation>后续每个词元</translation>
    </message>
    <message>
        <source>Tokens per second</source>
        <translation>每秒词元数</translation>
    </message>
    <message>
        <source>The training texts are too short to be asked for.</source>
        <translation>训练文本太短，无法检查是否被记住。</translation>
    </message>
    <message>
        <source>Given the first %1 tokens of %2 training texts, the model repeated %3 of them word for word; the longest run was %4 tokens.</source>
        <translation>给出 %2 条训练文本的前 %1 个词元后，模型逐字复述了其中 %3 条；最长连续复述 %4 个词元。</translation>
    </message>
    <message>
        <source>On %1 texts of the test split, %2 tokens.</source>
        <translation>测试集中的 %1 条文本，共 %2 个词元。</translation>
    </message>
    <message>
        <source>There is no test split: on %1 texts of the validation split, %2 tokens.</source>
        <translation>没有测试集：使用验证集中的 %1 条文本，共 %2 个词元。</translation>
    </message>
</context>
<context>
    <name>RunChecks</name>
    <message>
        <source>Not enough memory: choose a smaller micro-batch, image size or model.</source>
        <translation>内存不足：请减小微批次、图像尺寸或换用更小的模型。</translation>
    </message>
    <message>
        <source>Not enough disk space: free some, keep fewer checkpoints, or move the project.</source>
        <translation>磁盘空间不足：请释放空间、减少保留的检查点，或移动项目。</translation>
    </message>
    <message>
        <source>Not enough memory on the graphics card: choose a smaller micro-batch, image size or model, or the processor.</source>
        <translation>显存不足：请选择更小的微批次、图像尺寸或模型，或改用处理器。</translation>
    </message>
    <message>
        <source>Not enough memory: choose a smaller micro-batch or model, shorter sequences, or LoRA instead of all weights.</source>
        <translation>内存不足：请选择更小的微批次或模型、更短的序列，或用 LoRA 代替训练全部权重。</translation>
    </message>
</context>
<context>
    <name>RunSupervisor</name>
    <message>
        <source>Attempt %1 failed: %2 Going on from step %3 (restart %4 of %5).</source>
        <translation>第 %1 次尝试失败：%2 从第 %3 步继续（第 %4 次重启，共 %5 次）。</translation>
    </message>
</context>
<context>
    <name>ScaleModel</name>
    <message>
        <source>the machine does not compute in this precision</source>
        <translation>该机器不支持这种精度的计算</translation>
    </message>
    <message>
        <source>data × tensor × pipeline is %1, not %2 GPUs</source>
        <translation>数据 × 张量 × 流水线为 %1，而不是 %2 个 GPU</translation>
    </message>
    <message>
        <source>%1 tensor parallel ranks do not fill the %2 GPUs of a node evenly</source>
        <translation>%1 个张量并行进程不能均匀占满每个节点的 %2 个 GPU</translation>
    </message>
    <message>
        <source>%1 attention heads cannot be divided by %2 tensor parallel ranks</source>
        <translation>%1 个注意力头不能被 %2 个张量并行进程整除</translation>
    </message>
    <message>
        <source>%1 key/value heads cannot be divided by %2 tensor parallel ranks</source>
        <translation>%1 个键/值头不能被 %2 个张量并行进程整除</translation>
    </message>
    <message>
        <source>an MLP of width %1 cannot be divided by %2 tensor parallel ranks</source>
        <translation>宽度为 %1 的 MLP 不能被 %2 个张量并行进程整除</translation>
    </message>
    <message>
        <source>a sequence of %1 tokens cannot be divided by %2 ranks</source>
        <translation>%1 个词元的序列不能被 %2 个进程整除</translation>
    </message>
    <message>
        <source>%1 layers are fewer than %2 pipeline ranks</source>
        <translation>%1 层少于 %2 个流水线进程</translation>
    </message>
    <message>
        <source>%1 experts cannot be divided by %2 expert parallel ranks</source>
        <translation>%1 个专家不能被 %2 个专家并行进程整除</translation>
    </message>
    <message>
        <source>%1 data parallel ranks cannot be divided by %2 expert parallel ranks</source>
        <translation>%1 个数据并行进程不能被 %2 个专家并行进程整除</translation>
    </message>
    <message>
        <source>a batch of %1 sequences cannot be divided by %2 sequences at once</source>
        <translation>%1 条序列的批次不能被一次处理的 %2 条序列整除</translation>
    </message>
    <message>
        <source>%1 layers cannot be divided into %2 pieces of the pipeline</source>
        <translation>%1 层不能均分为流水线的 %2 段</translation>
    </message>
    <message>
        <source>%1 micro-batches cannot be divided by %2 pipeline ranks, as interleaving needs</source>
        <translation>%1 个微批次不能被 %2 个流水线进程整除，而交错调度要求整除</translation>
    </message>
    <message>
        <source>pipeline ranks wait for the first and the last micro-batch</source>
        <translation>流水线进程要等待首尾的微批次</translation>
    </message>
    <message>
        <source>tensor parallel ranks wait for each other</source>
        <translation>张量并行进程要相互等待</translation>
    </message>
    <message>
        <source>tokens travel to their experts and back</source>
        <translation>词元要往返于各自的专家</translation>
    </message>
    <message>
        <source>activations travel between pipeline ranks</source>
        <translation>激活值要在流水线进程之间传送</translation>
    </message>
    <message>
        <source>gradients and weights travel longer than they can hide</source>
        <translation>梯度和权重的传送时间超出可以掩盖的范围</translation>
    </message>
    <message>
        <source>activations are computed again</source>
        <translation>激活值要重新计算</translation>
    </message>
    <message>
        <source>the optimizer moves many parameters on each GPU</source>
        <translation>优化器在每个 GPU 上要更新大量参数</translation>
    </message>
    <message>
        <source>Peak of one GPU: %1 TFLOP/s, dense.</source>
        <translation>单个 GPU 的峰值：%1 TFLOP/s（稠密）。</translation>
    </message>
    <message>
        <source>Products of large matrices reach %1 of the peak; to this comes the time of their operands through memory, so that small ones reach less.</source>
        <translation>大矩阵乘法达到峰值的 %1；另加操作数经过显存的时间，因此小矩阵达到的更少。</translation>
    </message>
    <message>
        <source>What is no product runs at memory speed, %1: what a layer keeps is written and read once forward, twice that backward.</source>
        <translation>矩阵乘法以外的运算受显存带宽限制（%1）：每层保留的数据在前向写读各一次，反向为其两倍。</translation>
    </message>
    <message>
        <source>Each kernel costs %1 beside its work; a layer has %2 that are no products, each way.</source>
        <translation>每个内核在计算之外另耗 %1；每层每个方向有 %2 个非矩阵乘法内核。</translation>
    </message>
    <message>
        <source>Within a node of %1 GPUs each sends %2 in collectives; a step of one costs %3.</source>
        <translation>在 %1 个 GPU 的节点内，集合通信中每个 GPU 的发送速率为 %2；每一步耗时 %3。</translation>
    </message>
    <message>
        <source>Between nodes each GPU sends %1; a step of a collective costs %2. No congestion, no slow node, no failure.</source>
        <translation>节点之间每个 GPU 的发送速率为 %1；集合通信每一步耗时 %2。假定没有拥塞、慢节点和故障。</translation>
    </message>
    <message>
        <source>Collectives take the quickest of ring, tree (all-reduce) and hierarchical (within nodes, then between); all-to-all uses both kinds of link at once.</source>
        <translation>集合通信取环形、树形（all-reduce）和分层（先节点内、后节点间）中最快的算法；all-to-all 同时使用两类链路。</translation>
    </message>
    <message>
        <source>Gradients and gathered weights hide behind at most %1 of the computation of their pass; one layer's part never hides. With ZeRO stage 3 weights are gathered in forward and again in backward of every micro-batch, with stages 2 and 3 gradients are scattered in every micro-batch.</source>
        <translation>梯度和收集的权重最多能被同一阶段计算时间的 %1 掩盖；其中一层的部分无法掩盖。ZeRO 第 3 阶段在每个微批次的前向和反向各收集一次权重；第 2、3 阶段在每个微批次分散梯度。</translation>
    </message>
    <message>
        <source>Data parallel communication hides behind nothing.</source>
        <translation>数据并行通信不被任何计算掩盖。</translation>
    </message>
    <message>
        <source>Communication of tensor parallel ranks, of experts and between pipeline ranks hides behind nothing; it does not slow the computation down either.</source>
        <translation>张量并行、专家以及流水线进程之间的通信不被掩盖，也不会拖慢计算。</translation>
    </message>
    <message>
        <source>Except experts: their exchange hides behind another micro-batch (DualPipe).</source>
        <translation>专家除外：其交换被另一个微批次掩盖（DualPipe）。</translation>
    </message>
    <message>
        <source>Pipeline: 1F1B; all ranks keep the pace of the slowest, and (ranks − 1) / pieces micro-batches of it are waited for. Layers that do not divide are spared the last rank. Ranks of a tensor group are neighbours, then those of data, then those of the pipeline.</source>
        <translation>流水线：1F1B；所有进程以最慢者为准，需等待其 (进程数 − 1) / 段数 个微批次。除不尽的层不分给最后一个进程。张量组的进程相邻，其次是数据组，再次是流水线组。</translation>
    </message>
    <message>
        <source>Experts have equal numbers of tokens, and no token is dropped.</source>
        <translation>各专家的词元数相等，且不丢弃词元。</translation>
    </message>
    <message>
        <source>AdamW in float32: 4 + 4 + 8 bytes a parameter for weights, gradients and optimizer.</source>
        <translation>float32 的 AdamW：每个参数的权重、梯度和优化器占 4 + 4 + 8 字节。</translation>
    </message>
    <message>
        <source>AdamW, mixed: 2 + 2 + 12 bytes a parameter for weights, gradients and optimizer (float32 master weights); also with fp8.</source>
        <translation>混合精度 AdamW：每个参数的权重、梯度和优化器占 2 + 2 + 12 字节（float32 主权重）；fp8 亦同。</translation>
    </message>
    <message>
        <source>The optimizer moves %1 bytes a parameter, at memory speed.</source>
        <translation>优化器为每个参数读写 %1 字节，按显存速度计。</translation>
    </message>
    <message>
        <source>Logits are there for %1 tokens at a time, three times in float32.</source>
        <translation>logits 每次为 %1 个词元保留，float32 共三份。</translation>
    </message>
    <message>
        <source>Driver and collectives hold %1, fragmentation %2 of activations and logits; with ZeRO stage 3 two layers are gathered at once.</source>
        <translation>驱动和集合通信占用 %1，碎片为激活值和 logits 的 %2；ZeRO 第 3 阶段同时收集两层。</translation>
    </message>
    <message>
        <source>A layout fits when it needs at most %1 of the memory: %2.</source>
        <translation>布局所需不超过显存的 %1（%2）时视为放得下。</translation>
    </message>
    <message>
        <source>it needs %1, and %2 may be used</source>
        <translation>需要 %1，可用 %2</translation>
    </message>
    <message>
        <source>Flash attention: half of the square, at %1 of what products reach; backward %2 times forward. Selective recomputation computes norms and activations again.</source>
        <translation>Flash attention：只算方阵的一半，速度为矩阵乘法所达的 %1；反向为前向的 %2 倍。选择性重算会重新计算归一化和激活函数。</translation>
    </message>
    <message>
        <source>Attention keeps its scores in memory; selective recomputation computes them again.</source>
        <translation>注意力分数保留在显存中；选择性重算会重新计算它们。</translation>
    </message>
    <message>
        <source>fp8: the layers' products only; attention and the head in bfloat16, activations kept in bfloat16, conversions for nothing.</source>
        <translation>fp8：仅用于各层的矩阵乘法；注意力和输出头用 bfloat16，激活值以 bfloat16 保留，转换不计时间。</translation>
    </message>
    <message>
        <source>MFU: three times the products of forward, attention over the whole square, of the peak; HFU counts what is computed again. Reading data, checkpoints and evaluation cost nothing.</source>
        <translation>MFU：前向矩阵乘法的三倍（注意力按整个方阵计）与峰值之比；HFU 另计重新计算的部分。读取数据、检查点和评估不计时间。</translation>
    </message>
    <message>
        <source>Compared with published runs: predicted speed is within 17 % on A100, up to 36 % too high on H100, with fp8 up to 39 %; whole trainings took about one and a half times as long (docs/scale-model.md).</source>
        <translation>与已发表的运行相比：A100 上预测速度的误差在 17 % 以内，H100 上最多偏高 36 %，fp8 最多偏高 39 %；完整训练的用时约为预测的一倍半（docs/scale-model.md）。</translation>
    </message>
</context>
<context>
    <name>Signature</name>
    <message>
        <source>Not valid: %1</source>
        <translation>无效：%1</translation>
    </message>
    <message>
        <source>bundle.json does not fit %1</source>
        <translation>bundle.json 与 %1 不符</translation>
    </message>
    <message>
        <source>bundle.json speaks of the signed files.</source>
        <translation>bundle.json 与已签名的文件一致。</translation>
    </message>
    <message>
        <source>The list of files is the one that was signed.</source>
        <translation>文件清单与签名时一致。</translation>
    </message>
    <message>
        <source>Valid: %1 files, signed by %2.</source>
        <translation>有效：%1 个文件，签名者 %2。</translation>
    </message>
    <message>
        <source>Not valid.</source>
        <translation>无效。</translation>
    </message>
    <message>
        <source>There is no signature file.</source>
        <translation>没有签名文件。</translation>
    </message>
    <message>
        <source>The signature file is not in order: %1.</source>
        <translation>签名文件不符合规范：%1。</translation>
    </message>
    <message>
        <source>The signature file is in order.</source>
        <translation>签名文件符合规范。</translation>
    </message>
    <message>
        <source>None of the trusted keys made this signature.</source>
        <translation>此签名不是由任何受信任的密钥生成的。</translation>
    </message>
    <message>
        <source>It was signed with key %1, which is not among the trusted keys.</source>
        <translation>它由密钥 %1 签名，该密钥不在受信任的密钥之列。</translation>
    </message>
    <message>
        <source>The signature does not fit the list of files.</source>
        <translation>签名与文件清单不符。</translation>
    </message>
    <message>
        <source>The signature holds.</source>
        <translation>签名有效。</translation>
    </message>
    <message>
        <source>A trusted key fits; the signature does not name its key.</source>
        <translation>与一个受信任的密钥相符；签名本身未注明密钥。</translation>
    </message>
    <message>
        <source>The signer's key is trusted.</source>
        <translation>签名者的密钥受信任。</translation>
    </message>
    <message>
        <source>A certificate cannot be read.</source>
        <translation>有证书无法读取。</translation>
    </message>
    <message>
        <source>The certificate's key is not on a supported curve.</source>
        <translation>证书密钥所用的曲线不受支持。</translation>
    </message>
    <message>
        <source>The certificate is not meant for signing.</source>
        <translation>该证书不用于签名。</translation>
    </message>
    <message>
        <source>The certificate may sign code, though its key usage does not say so.</source>
        <translation>该证书可用于代码签名，但其密钥用途未注明。</translation>
    </message>
    <message>
        <source>The certificate is meant for signing.</source>
        <translation>该证书用于签名。</translation>
    </message>
    <message>
        <source>The certificates are valid today (until %1).</source>
        <translation>证书目前在有效期内（至 %1）。</translation>
    </message>
    <message>
        <source>A certificate is out of date: the signer's is valid from %1 to %2.</source>
        <translation>有证书不在有效期内：签名者的证书有效期为 %1 至 %2。</translation>
    </message>
    <message>
        <source>The signer is trusted: %1.</source>
        <translation>签名者受信任：%1。</translation>
    </message>
    <message>
        <source>no trusted root was given</source>
        <translation>未提供受信任的根证书</translation>
    </message>
    <message>
        <source>Unknown signer %1: %2.</source>
        <translation>未知的签名者 %1：%2。</translation>
    </message>
    <message>
        <source>%1 is a link or a special file</source>
        <translation>%1 是链接或特殊文件</translation>
    </message>
    <message>
        <source>the signature file is listed as content</source>
        <translation>签名文件被列为内容</translation>
    </message>
    <message>
        <source>%1 was changed</source>
        <translation>%1 被改动过</translation>
    </message>
    <message>
        <source>%1 is missing</source>
        <translation>缺少 %1</translation>
    </message>
    <message>
        <source>%1 is not among the signed files</source>
        <translation>%1 不在已签名的文件之列</translation>
    </message>
    <message>
        <source>Every signed file is unchanged; %1 more are not signed.</source>
        <translation>所有已签名的文件均未改动；另有 %1 个文件未签名。</translation>
    </message>
    <message>
        <source>Every file is as it was signed.</source>
        <translation>所有文件与签名时一致。</translation>
    </message>
    <message>
        <source>The signer left out files that are here: %1.</source>
        <translation>签名者未将以下文件纳入签名：%1。</translation>
    </message>
</context>
<context>
    <name>Words</name>
    <message numerus="yes">
        <source>%n second(s)</source>
        <translation>
            <numerusform>%n 秒</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n minute(s)</source>
        <translation>
            <numerusform>%n 分钟</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 h %2 min</source>
        <translation>%1 小时 %2 分钟</translation>
    </message>
    <message numerus="yes">
        <source>%n day(s)</source>
        <translation>
            <numerusform>%n 天</numerusform>
        </translation>
    </message>
    <message>
        <source>nearly done</source>
        <translation>即将完成</translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation>剩余 %1</translation>
    </message>
    <message numerus="yes">
        <source>%Ln sample(s)</source>
        <translation>
            <numerusform>%Ln 个样本</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln image(s)</source>
        <translation>
            <numerusform>%Ln 张图像</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln patient(s)</source>
        <translation>
            <numerusform>%Ln 名患者</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln label(s)</source>
        <translation>
            <numerusform>%Ln 个标签</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s)</source>
        <translation>
            <numerusform>%Ln 个文件</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln row(s)</source>
        <translation>
            <numerusform>%Ln 行</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln conflict(s)</source>
        <translation>
            <numerusform>%Ln 处冲突</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln core(s)</source>
        <translation>
            <numerusform>%Ln 个核心</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln thread(s)</source>
        <translation>
            <numerusform>%Ln 个线程</numerusform>
        </translation>
    </message>
    <message>
        <source>Small CNN</source>
        <translation>小型 CNN</translation>
    </message>
    <message>
        <source>Image classifier</source>
        <translation>图像分类器</translation>
    </message>
    <message>
        <source>loss</source>
        <translation>损失</translation>
    </message>
    <message>
        <source>accuracy</source>
        <translation>准确率</translation>
    </message>
    <message>
        <source>balanced accuracy</source>
        <translation>均衡准确率</translation>
    </message>
    <message numerus="yes">
        <source>%Ln record(s)</source>
        <translation>
            <numerusform>%Ln 条记录</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln token(s)</source>
        <translation>
            <numerusform>%Ln 个词元</numerusform>
        </translation>
    </message>
    <message>
        <source>Language model</source>
        <translation>语言模型</translation>
    </message>
    <message>
        <source>perplexity</source>
        <translation>困惑度</translation>
    </message>
</context>
<context>
    <name>cloister::AnswerPanel</name>
    <message>
        <source>%1: what it wrote</source>
        <translation>%1：写出的内容</translation>
    </message>
    <message>
        <source>None</source>
        <translation>无</translation>
    </message>
    <message>
        <source>%1, best state</source>
        <translation>%1，最佳状态</translation>
    </message>
    <message>
        <source>%1, adapter</source>
        <translation>%1，适配器</translation>
    </message>
    <message>
        <source>Choose a folder…</source>
        <translation>选择文件夹…</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>the model ended</source>
        <translation>模型自行结束</translation>
    </message>
    <message>
        <source>ended at the stop text</source>
        <translation>遇到停止文本</translation>
    </message>
    <message>
        <source>length limit</source>
        <translation>达到长度上限</translation>
    </message>
    <message>
        <source>the model's context is full</source>
        <translation>上下文已满</translation>
    </message>
    <message>
        <source>%1 tokens/s</source>
        <translation>%1 词元/秒</translation>
    </message>
    <message>
        <source>Waits for the other model</source>
        <translation>等待另一个模型</translation>
    </message>
    <message>
        <source>Loading the model …</source>
        <translation>正在载入模型……</translation>
    </message>
    <message numerus="yes">
        <source>Reading %Ln token(s) …</source>
        <translation>
            <numerusform>正在读取 %Ln 个词元……</numerusform>
        </translation>
    </message>
    <message>
        <source>first token after %1 s</source>
        <translation>首个词元用时 %1 秒</translation>
    </message>
    <message>
        <source>template %1</source>
        <translation>模板 %1</translation>
    </message>
    <message>
        <source>Choose the model that this adapter was made on.</source>
        <translation>请选择此适配器所基于的模型。</translation>
    </message>
    <message>
        <source>No model of this project has the layers of this adapter. Choose the folder of the model that it was made on.</source>
        <translation>本项目中没有模型与此适配器的层相符。请选择它所基于的模型文件夹。</translation>
    </message>
    <message>
        <source>No model of this project has the layers of this adapter, which was made on "%1". Choose the folder of that model.</source>
        <translation>此适配器基于“%1”，本项目中没有与其层相符的模型。请选择该模型的文件夹。</translation>
    </message>
    <message>
        <source>on</source>
        <translation>基于</translation>
    </message>
    <message>
        <source>Model that the adapter is used on</source>
        <translation>适配器所用的模型</translation>
    </message>
</context>
<context>
    <name>cloister::ChecksView</name>
    <message>
        <source>Stops the snapshot until it is solved or a reason is typed.</source>
        <translation>在解决或填写理由之前，无法冻结快照。</translation>
    </message>
    <message>
        <source>Show the files</source>
        <translation>查看文件</translation>
    </message>
    <message numerus="yes">
        <source>Show the %n sample(s)</source>
        <translation>
            <numerusform>查看 %n 个样本</numerusform>
        </translation>
    </message>
    <message>
        <source>Checking…</source>
        <translation>正在检查…</translation>
    </message>
    <message>
        <source>Checked with the suggested split: 70 % training, 15 % validation, 15 % test, by patient.</source>
        <translation>按建议的划分检查：训练 70 %、验证 15 %、测试 15 %，按患者划分。</translation>
    </message>
    <message>
        <source>Nothing to report.</source>
        <translation>没有问题。</translation>
    </message>
</context>
<context>
    <name>cloister::DataPage</name>
    <message>
        <source>Continue with training</source>
        <translation>继续：训练</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>数据</translation>
    </message>
    <message>
        <source>Look, label, check, then freeze what the model learns from.</source>
        <translation>查看、标注、检查，然后冻结用于训练的数据。</translation>
    </message>
    <message>
        <source>Open or create a project first; the images are kept in it.</source>
        <translation>请先打开或新建项目，图像保存在项目中。</translation>
    </message>
    <message>
        <source>Go to Project</source>
        <translation>前往“项目”</translation>
    </message>
    <message>
        <source>&lt;p&gt;&lt;b&gt;Import&lt;/b&gt; copies DICOM files or pictures into the project; the originals stay where they are. Labels come from the folder names, from a table, or from you: select images and press 1 to 9.&lt;/p&gt;&lt;p&gt;&lt;b&gt;Checks&lt;/b&gt; shows what would spoil a model: unreadable files, duplicates, one patient in training and test.&lt;/p&gt;&lt;p&gt;&lt;b&gt;Freeze snapshot&lt;/b&gt; fixes samples, labels, split and preprocessing under one digest, so that a result can be traced and repeated.&lt;/p&gt;&lt;p&gt;Keys: arrows move, Shift and Ctrl+A select, X excludes, Enter opens the picture, Ctrl+Z undoes. In the picture: drag for the window, wheel for frames, Space plays.&lt;/p&gt;</source>
        <translation>&lt;p&gt;&lt;b&gt;导入&lt;/b&gt;会把 DICOM 文件或图片复制到项目中，原文件保持不动。标签可来自文件夹名称、表格，或由您标注：选中图像后按 1 到 9。&lt;/p&gt;&lt;p&gt;&lt;b&gt;检查&lt;/b&gt;会列出影响模型的问题：无法读取的文件、重复文件、同一患者同时出现在训练集和测试集。&lt;/p&gt;&lt;p&gt;&lt;b&gt;冻结快照&lt;/b&gt;把样本、标签、数据划分和预处理固定在一个摘要之下，使结果可追溯、可重复。&lt;/p&gt;&lt;p&gt;按键：方向键移动，Shift 和 Ctrl+A 选择，X 排除，Enter 打开图像，Ctrl+Z 撤销。在图像上：拖动调整窗宽窗位，滚轮翻帧，空格播放。&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Sample</source>
        <translation>样本</translation>
    </message>
    <message>
        <source>Drop a folder of DICOM files or pictures here</source>
        <translation>把 DICOM 文件夹或图片文件夹拖到这里</translation>
    </message>
    <message>
        <source>Cloister copies the files into the project and leaves the originals untouched. Give each image a label, by folder, by table or by key. Then freeze a snapshot: from there on, training, test and report always mean the same images.</source>
        <translation>Cloister 会把文件复制到项目中，原文件保持不变。通过文件夹、表格或按键为每张图像标注标签，然后冻结快照：此后训练、测试和报告所指的始终是同一批图像。</translation>
    </message>
    <message>
        <source>Import data</source>
        <translation>导入数据</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>导入…</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>显示全部</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>样本</translation>
    </message>
    <message>
        <source>Checks (%1)</source>
        <translation>检查（%1）</translation>
    </message>
    <message>
        <source>Checks</source>
        <translation>检查</translation>
    </message>
    <message>
        <source>Not imported</source>
        <translation>未导入</translation>
    </message>
    <message>
        <source>Views of the data</source>
        <translation>数据视图</translation>
    </message>
    <message>
        <source>Arrows move, 1 to 9 label, X excludes, Enter opens the picture.</source>
        <translation>方向键移动，1 到 9 标注，X 排除，Enter 打开图像。</translation>
    </message>
    <message>
        <source>Freeze snapshot</source>
        <translation>冻结快照</translation>
    </message>
    <message>
        <source>Label some samples first.</source>
        <translation>请先标注一些样本。</translation>
    </message>
    <message>
        <source>Back to the samples</source>
        <translation>返回样本</translation>
    </message>
    <message>
        <source>Freezing…</source>
        <translation>正在冻结…</translation>
    </message>
    <message>
        <source>Resume the import</source>
        <translation>继续导入</translation>
    </message>
    <message>
        <source>%1 read, %2 changed, %3 without a sample, %4.</source>
        <translation>已读取 %1，更改了 %2；%3没有对应样本；%4。</translation>
    </message>
    <message>
        <source>Snapshot %1 is frozen: %2 samples for training, %3 for validation, %4 for the test.</source>
        <translation>快照 %1 已冻结：训练 %2 个样本，验证 %3 个，测试 %4 个。</translation>
    </message>
    <message>
        <source>The last import was interrupted after %1. It can go on from there.</source>
        <translation>上次导入在完成 %1后中断，可从该处继续。</translation>
    </message>
</context>
<context>
    <name>cloister::EvaluatePage</name>
    <message>
        <source>Evaluate</source>
        <translation>评估</translation>
    </message>
    <message>
        <source>There is no finished run to evaluate. Train a model first.</source>
        <translation>还没有可评估的训练结果。请先训练模型。</translation>
    </message>
    <message>
        <source>Go to Train</source>
        <translation>前往“训练”</translation>
    </message>
    <message>
        <source>&lt;p&gt;All figures are from the frozen test split, which training never saw. Intervals are 95 % bootstrap intervals that draw whole patients.&lt;/p&gt;&lt;p&gt;&lt;b&gt;Fragility&lt;/b&gt;: FGSM and PGD change every pixel by at most ε to mislead the model. A success rate that rises early means a fragile model.&lt;/p&gt;&lt;p&gt;A good result on data of the same hospital does not promise the same elsewhere.&lt;/p&gt;</source>
        <translation>&lt;p&gt;所有数字都来自冻结的测试集，训练从未见过这些数据。区间为 95 % 自助法（bootstrap）置信区间，按患者整体抽样。&lt;/p&gt;&lt;p&gt;&lt;b&gt;脆弱性&lt;/b&gt;：FGSM 和 PGD 将每个像素最多改变 ε 来误导模型。成功率上升得早，说明模型脆弱。&lt;/p&gt;&lt;p&gt;在同一家医院的数据上结果好，并不意味着在别处同样好。&lt;/p&gt;</translation>
    </message>
    <message>
        <source>This run was not evaluated yet. Evaluation measures it on the test split: quality with intervals, how easily it is misled, and how fast it answers.</source>
        <translation>该训练尚未评估。评估会在测试集上衡量：带区间的质量指标、被误导的难易程度，以及推理速度。</translation>
    </message>
    <message>
        <source>Quality</source>
        <translation>质量</translation>
    </message>
    <message>
        <source>Fragility</source>
        <translation>脆弱性</translation>
    </message>
    <message>
        <source>Share of correctly classified samples that a change of at most ε misleads. </source>
        <translation>原本分类正确的样本中，被不超过 ε 的改动误导的比例。</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速度</translation>
    </message>
    <message>
        <source>Most wrong</source>
        <translation>错得最离谱</translation>
    </message>
    <message>
        <source>Most certain</source>
        <translation>最有把握</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>样本</translation>
    </message>
    <message>
        <source>Groups</source>
        <translation>分组</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>保存报告</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>训练</translation>
    </message>
    <message>
        <source>Run to evaluate</source>
        <translation>要评估的训练</translation>
    </message>
    <message>
        <source>With attacks (FGSM, PGD)</source>
        <translation>包含对抗攻击（FGSM、PGD）</translation>
    </message>
    <message>
        <source>ε in grey levels</source>
        <translation>ε（灰度级）</translation>
    </message>
    <message>
        <source>Attack strengths ε in grey levels</source>
        <translation>攻击强度 ε（灰度级）</translation>
    </message>
    <message>
        <source>Samples attacked, at most</source>
        <translation>最多攻击的样本数</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>报告</translation>
    </message>
    <message>
        <source>Open or save the report</source>
        <translation>打开或保存报告</translation>
    </message>
    <message>
        <source>Open in the browser</source>
        <translation>在浏览器中打开</translation>
    </message>
    <message>
        <source>Save as a web page (HTML)</source>
        <translation>另存为网页（HTML）</translation>
    </message>
    <message>
        <source>Save as numbers (JSON)</source>
        <translation>另存为数据（JSON）</translation>
    </message>
    <message>
        <source>Evaluate again</source>
        <translation>重新评估</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Export this model</source>
        <translation>导出此模型</translation>
    </message>
    <message>
        <source>Evaluate on the test split</source>
        <translation>在测试集上评估</translation>
    </message>
    <message>
        <source>On the test split, %1 of %2; threshold %3.</source>
        <translation>在测试集上：%2的 %1；阈值 %3。</translation>
    </message>
    <message>
        <source>Answers side by side</source>
        <translation>回答对照</translation>
    </message>
    <message>
        <source>Written greedily: always the most likely token. Point at a cell to read all of it.</source>
        <translation>贪心生成：每步取概率最大的词元。将鼠标移到单元格上可查看全文。</translation>
    </message>
    <message>
        <source>Share of rightly predicted tokens that a change of the words' vectors by at most ε turns. Readers would see no change where the vectors still read as the same words.</source>
        <translation>词向量改变不超过 ε 时，原本预测正确的词元中被改错的比例。若向量仍对应原来的词，读者看不出任何变化。</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>记忆</translation>
    </message>
    <message>
        <source>ε as a share of a word</source>
        <translation>ε（占词向量的比例）</translation>
    </message>
    <message>
        <source>Attack strengths ε as a share of a word's vector</source>
        <translation>攻击强度 ε（占词向量的比例）</translation>
    </message>
    <message>
        <source>Texts attacked, at most</source>
        <translation>最多攻击的文本数</translation>
    </message>
    <message>
        <source>&lt;p&gt;All figures are from the test part, which training never saw. &lt;b&gt;Perplexity&lt;/b&gt; says between how many tokens the model wavers: lower is better. BLEU, chrF and ROUGE compare its answers with those of the data; p tells whether the difference to the base model could be chance.&lt;/p&gt;&lt;p&gt;&lt;b&gt;Fragility&lt;/b&gt;: FGSM and PGD shift the vectors of the words by at most ε to mislead the model. &lt;b&gt;Memory&lt;/b&gt;: training texts that it repeats word for word could leave the house with it.&lt;/p&gt;</source>
        <translation>&lt;p&gt;所有数字都来自训练从未见过的测试部分。&lt;b&gt;困惑度&lt;/b&gt;表示模型在多少个词元之间犹豫：越低越好。BLEU、chrF 和 ROUGE 把模型的回答与数据中的回答相比；p 值说明与基础模型的差别是否可能出于偶然。&lt;/p&gt;&lt;p&gt;&lt;b&gt;脆弱性&lt;/b&gt;：FGSM 和 PGD 把词向量移动至多 ε 来误导模型。&lt;b&gt;记忆&lt;/b&gt;：模型逐字重复的训练文本可能随它一起流出。&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Answers, at most</source>
        <translation>最多回答数</translation>
    </message>
    <message>
        <source>Answers written and judged, at most</source>
        <translation>最多生成并评判的回答数</translation>
    </message>
    <message>
        <source>How many questions of the test part the model answers; its answers are compared with those of the data. 0: none. Of running text a few continuations are written to be read.</source>
        <translation>模型回答测试部分中多少个问题；回答将与数据中的答案比较。0：不回答。对连续文本只续写几段供阅读。</translation>
    </message>
    <message>
        <source>Longest answer</source>
        <translation>最长回答</translation>
    </message>
    <message>
        <source>Longest answer, in tokens</source>
        <translation>最长回答（词元）</translation>
    </message>
    <message>
        <source> tokens</source>
        <translation> 词元</translation>
    </message>
    <message>
        <source>An answer that does not end before is cut here; writing takes time in proportion.</source>
        <translation>到此仍未结束的回答会被截断；生成时间与此成正比。</translation>
    </message>
</context>
<context>
    <name>cloister::ExportPage</name>
    <message>
        <source>int8, dynamic</source>
        <translation>int8 动态</translation>
    </message>
    <message>
        <source>int8, static</source>
        <translation>int8 静态</translation>
    </message>
    <message>
        <source>Where the bundle goes</source>
        <translation>签名包的保存位置</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>There is no finished run to export. Train a model first.</source>
        <translation>还没有可导出的训练结果。请先训练模型。</translation>
    </message>
    <message>
        <source>Go to Train</source>
        <translation>前往“训练”</translation>
    </message>
    <message>
        <source>A bundle carries its evaluation. Evaluate the run first.</source>
        <translation>签名包中附有评估结果。请先评估该训练。</translation>
    </message>
    <message>
        <source>Go to Evaluate</source>
        <translation>前往“评估”</translation>
    </message>
    <message>
        <source>&lt;p&gt;Each candidate is the same model in another number format. &lt;b&gt;Parity&lt;/b&gt; compares its answers with the trained model on stored test vectors; a candidate that fails it should not be handed out.&lt;/p&gt;&lt;p&gt;The bundle is a folder with model, labels, test vectors, model card and report, signed with your key. Whoever has your public key can verify it without a network.&lt;/p&gt;</source>
        <translation>&lt;p&gt;每个候选都是同一模型的不同数值格式。&lt;b&gt;一致性&lt;/b&gt;用保存的测试向量将其输出与训练所得模型比较；未通过的候选不应交付。&lt;/p&gt;&lt;p&gt;签名包是一个文件夹，含模型、标签、测试向量、模型卡和报告，并用您的密钥签名。持有您公钥的人无需联网即可验证。&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>格式</translation>
    </message>
    <message>
        <source>Accuracy</source>
        <translation>准确率</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>p50 / p95, batch 1</source>
        <translation>p50 / p95，批次 1</translation>
    </message>
    <message>
        <source>Parity</source>
        <translation>一致性</translation>
    </message>
    <message>
        <source>Kept in float</source>
        <translation>保留为浮点</translation>
    </message>
    <message>
        <source>holds, %1 of %2</source>
        <translation>通过，%1 / %2</translation>
    </message>
    <message>
        <source>fails, %1 of %2</source>
        <translation>未通过，%1 / %2</translation>
    </message>
    <message>
        <source>No candidates yet: make them to compare accuracy, size and speed.</source>
        <translation>还没有候选：请先生成，再比较准确率、大小和速度。</translation>
    </message>
    <message>
        <source>%1 (%2, %3)</source>
        <translation>%1（%2，%3）</translation>
    </message>
    <message>
        <source>The two passphrases differ or are empty. Type the same one twice.</source>
        <translation>两次输入的口令不一致或为空。请输入两次相同的口令。</translation>
    </message>
    <message>
        <source>The signed bundle is at %1. It was verified again from the disk.</source>
        <translation>签名包已保存到 %1，并已从磁盘重新验证。</translation>
    </message>
    <message>
        <source>%1 free there</source>
        <translation>该处可用 %1</translation>
    </message>
    <message>
        <source>Verify the bundle</source>
        <translation>验证签名包</translation>
    </message>
    <message>
        <source>Make the candidates</source>
        <translation>生成候选</translation>
    </message>
    <message>
        <source>Signing …</source>
        <translation>正在签名…</translation>
    </message>
    <message>
        <source>Create signed bundle</source>
        <translation>创建签名包</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>训练</translation>
    </message>
    <message>
        <source>Run to export</source>
        <translation>要导出的训练</translation>
    </message>
    <message>
        <source>Make an FP16 candidate</source>
        <translation>生成 FP16 候选</translation>
    </message>
    <message>
        <source>Calibration</source>
        <translation>校准方式</translation>
    </message>
    <message>
        <source>Calibration of the static int8 candidate</source>
        <translation>int8 静态候选的校准方式</translation>
    </message>
    <message>
        <source>Minimum and maximum</source>
        <translation>最小值与最大值</translation>
    </message>
    <message>
        <source>Entropy</source>
        <translation>熵</translation>
    </message>
    <message>
        <source>Percentile</source>
        <translation>百分位</translation>
    </message>
    <message>
        <source>Largest accuracy drop</source>
        <translation>准确率最大降幅</translation>
    </message>
    <message>
        <source>Largest accuracy drop allowed</source>
        <translation>允许的准确率最大降幅</translation>
    </message>
    <message>
        <source>Make the candidates again</source>
        <translation>重新生成候选</translation>
    </message>
    <message>
        <source>Candidates</source>
        <translation>候选</translation>
    </message>
    <message>
        <source>Signed bundle</source>
        <translation>签名包</translation>
    </message>
    <message>
        <source>Name of the model</source>
        <translation>模型名称</translation>
    </message>
    <message>
        <source>Intended use</source>
        <translation>预期用途</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>局限</translation>
    </message>
    <message>
        <source>For whom, on which images, for which question</source>
        <translation>供谁使用、用于哪类图像、回答什么问题</translation>
    </message>
    <message>
        <source>Where it must not be used</source>
        <translation>不得用于何处</translation>
    </message>
    <message>
        <source>Signing key</source>
        <translation>签名密钥</translation>
    </message>
    <message>
        <source>New key</source>
        <translation>新建密钥</translation>
    </message>
    <message>
        <source>The key stays on this machine, locked with its passphrase. Give the public key to those who will verify your bundles.</source>
        <translation>密钥保存在本机，由口令保护。请把公钥交给将要验证签名包的人。</translation>
    </message>
    <message>
        <source>Name of the key</source>
        <translation>密钥名称</translation>
    </message>
    <message>
        <source>Curve</source>
        <translation>曲线</translation>
    </message>
    <message>
        <source>Passphrase</source>
        <translation>口令</translation>
    </message>
    <message>
        <source>Passphrase again</source>
        <translation>再次输入口令</translation>
    </message>
    <message>
        <source>Create key</source>
        <translation>创建密钥</translation>
    </message>
    <message>
        <source>Passphrase of the key</source>
        <translation>密钥的口令</translation>
    </message>
    <message>
        <source>Folder of the bundle</source>
        <translation>签名包文件夹</translation>
    </message>
    <message>
        <source>Choose the folder of the bundle</source>
        <translation>选择签名包的保存文件夹</translation>
    </message>
    <message>
        <source>Open the folder</source>
        <translation>打开文件夹</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>None is suggested: no candidate agrees with the trained model and loses at most %1 of accuracy.</source>
        <translation>没有推荐项：没有候选既与训练所得模型一致，又使准确率下降不超过 %1。</translation>
    </message>
    <message>
        <source>★ Suggested: the fastest that agrees with the trained model and loses at most %1 of accuracy. %2 for one image, %3, accuracy %4 against %5.</source>
        <translation>★ 推荐：与训练所得模型一致、准确率下降不超过 %1 的候选中最快的一个。每张图像 %2，大小 %3，准确率 %4（原模型 %5）。</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>No key yet: make one</source>
        <translation>还没有密钥，请新建</translation>
    </message>
    <message>
        <source>int8, in blocks</source>
        <translation>int8（分块）</translation>
    </message>
    <message>
        <source>int4, in blocks</source>
        <translation>int4（分块）</translation>
    </message>
    <message>
        <source>Largest rise of perplexity</source>
        <translation>困惑度最大升幅</translation>
    </message>
    <message>
        <source>Largest rise of perplexity allowed</source>
        <translation>允许的困惑度最大升幅</translation>
    </message>
    <message>
        <source>Perplexity</source>
        <translation>困惑度</translation>
    </message>
    <message>
        <source>Tokens per second</source>
        <translation>每秒词元数</translation>
    </message>
    <message>
        <source>Same tokens</source>
        <translation>相同词元</translation>
    </message>
    <message>
        <source>Rise of perplexity</source>
        <translation>困惑度升幅</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 / %2</translation>
    </message>
    <message>
        <source>%1, within %2</source>
        <translation>%1，未超过 %2</translation>
    </message>
    <message>
        <source>%1, beyond %2</source>
        <translation>%1，超过 %2</translation>
    </message>
    <message>
        <source>GGUF files are written here, not run: judge them where they are used.</source>
        <translation>GGUF 文件在此只写出、不运行：请在使用处评估。</translation>
    </message>
    <message>
        <source>★ Suggested: the smallest whose perplexity stays within its limit. %1, perplexity %2 against %3 of the trained model.</source>
        <translation>★ 建议：困惑度未超限的候选中最小的一个。%1，困惑度 %2，训练模型为 %3。</translation>
    </message>
    <message>
        <source>None is suggested: every candidate raises the perplexity beyond its limit.</source>
        <translation>没有建议：所有候选的困惑度升幅都超过限值。</translation>
    </message>
    <message>
        <source>For</source>
        <translation>用途</translation>
    </message>
    <message>
        <source>What the files are for</source>
        <translation>文件的用途</translation>
    </message>
    <message>
        <source>For whom, on which texts, for which task</source>
        <translation>给谁用、处理哪些文本、完成什么任务</translation>
    </message>
    <message>
        <source>&lt;p&gt;Each candidate is the same model in another number format, with its tokenizer. &lt;b&gt;Same tokens&lt;/b&gt;: how many of 64 next tokens are those of the trained model; &lt;b&gt;Rise of perplexity&lt;/b&gt;: what the format costs on the test part.&lt;/p&gt;&lt;p&gt;The bundle is a folder with model, tokenizer, model card and report, signed with your key. Whoever has your public key can verify it without a network.&lt;/p&gt;</source>
        <translation>&lt;p&gt;每个候选都是同一模型的另一种数值格式，并带有分词器。&lt;b&gt;相同词元&lt;/b&gt;：64 个后续词元中有多少与训练好的模型相同；&lt;b&gt;困惑度升幅&lt;/b&gt;：该格式在测试部分上的代价。&lt;/p&gt;&lt;p&gt;签名包是一个文件夹，内含模型、分词器、模型卡和报告，并用您的密钥签名。持有您公钥的人无需网络即可验证。&lt;/p&gt;</translation>
    </message>
</context>
<context>
    <name>cloister::FailureBanner</name>
    <message>
        <source>Details</source>
        <translation>详细信息</translation>
    </message>
    <message>
        <source>Copy the message and its details</source>
        <translation>复制消息和详细信息</translation>
    </message>
    <message>
        <source>Dismiss this message</source>
        <translation>关闭此消息</translation>
    </message>
    <message>
        <source>Technical details</source>
        <translation>技术细节</translation>
    </message>
</context>
<context>
    <name>cloister::FileList</name>
    <message>
        <source>Files that were not imported</source>
        <translation>未导入的文件</translation>
    </message>
</context>
<context>
    <name>cloister::FileListModel</name>
    <message>
        <source>Refused</source>
        <translation>已拒绝</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>重复</translation>
    </message>
    <message>
        <source>Same content as %1</source>
        <translation>与 %1 内容相同</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Reason</source>
        <translation>原因</translation>
    </message>
</context>
<context>
    <name>cloister::FilterPanel</name>
    <message>
        <source>Label</source>
        <translation>标签</translation>
    </message>
    <message>
        <source>Patient</source>
        <translation>患者</translation>
    </message>
    <message>
        <source>Site</source>
        <translation>机构</translation>
    </message>
    <message>
        <source>Modality</source>
        <translation>检查类型</translation>
    </message>
    <message>
        <source>Split of the newest snapshot</source>
        <translation>最新快照的数据划分</translation>
    </message>
    <message>
        <source>Problem</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>Patient ID</source>
        <translation>患者编号</translation>
    </message>
    <message>
        <source>Show excluded</source>
        <translation>显示已排除的样本</translation>
    </message>
    <message>
        <source>Clear filters</source>
        <translation>清除筛选</translation>
    </message>
    <message>
        <source>Previous filter</source>
        <translation>上一个筛选</translation>
    </message>
    <message>
        <source>Filter by label</source>
        <translation>按标签筛选</translation>
    </message>
    <message>
        <source>Filter by patient</source>
        <translation>按患者筛选</translation>
    </message>
    <message>
        <source>Filter by site</source>
        <translation>按机构筛选</translation>
    </message>
    <message>
        <source>Filter by modality</source>
        <translation>按检查类型筛选</translation>
    </message>
    <message>
        <source>Filter by split</source>
        <translation>按数据划分筛选</translation>
    </message>
    <message>
        <source>Filter by problem</source>
        <translation>按问题筛选</translation>
    </message>
    <message>
        <source>Filters</source>
        <translation>筛选</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <translation>%1（%2）</translation>
    </message>
    <message>
        <source>All</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>No label</source>
        <translation>无标签</translation>
    </message>
    <message>
        <source>All sites</source>
        <translation>所有机构</translation>
    </message>
    <message>
        <source>All modalities</source>
        <translation>所有检查类型</translation>
    </message>
    <message>
        <source>All splits</source>
        <translation>所有划分</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>训练</translation>
    </message>
    <message>
        <source>Validation</source>
        <translation>验证</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>测试</translation>
    </message>
    <message>
        <source>With and without</source>
        <translation>不限</translation>
    </message>
    <message>
        <source>With a warning (%1)</source>
        <translation>有警告（%1）</translation>
    </message>
</context>
<context>
    <name>cloister::FitPanel</name>
    <message>
        <source>Fits this machine.</source>
        <translation>本机可以训练。</translation>
    </message>
    <message>
        <source>Does not fit this machine.</source>
        <translation>超出本机能力。</translation>
    </message>
    <message>
        <source>weights</source>
        <translation>权重</translation>
    </message>
    <message>
        <source>gradients</source>
        <translation>梯度</translation>
    </message>
    <message>
        <source>optimizer</source>
        <translation>优化器</translation>
    </message>
    <message>
        <source>activations</source>
        <translation>激活值</translation>
    </message>
    <message>
        <source>data</source>
        <translation>数据</translation>
    </message>
    <message>
        <source>averaged weights</source>
        <translation>平均权重</translation>
    </message>
    <message>
        <source>library</source>
        <translation>运行库</translation>
    </message>
    <message>
        <source>Disk %1 of %2 free.</source>
        <translation>磁盘 %1，可用 %2。</translation>
    </message>
    <message>
        <source>About %1 on this machine.</source>
        <translation>在本机上约需 %1。</translation>
    </message>
    <message>
        <source>Memory by part</source>
        <translation>内存构成</translation>
    </message>
    <message>
        <source>GPU: %1, %2 of %3 free</source>
        <translation>GPU：%1，可用 %2 / %3</translation>
    </message>
    <message>
        <source>No GPU found: training runs on the processor.</source>
        <translation>未找到 GPU：将在处理器上训练。</translation>
    </message>
    <message>
        <source>Will it fit?</source>
        <translation>能否在本机训练？</translation>
    </message>
    <message>
        <source>Memory %1 of %2 free.</source>
        <translation>内存：需要 %1，可用 %2。</translation>
    </message>
    <message numerus="yes">
        <source>Processor: %1, %Ln thread(s), %2 of memory free</source>
        <translation>
            <numerusform>处理器：%1，%Ln 个线程，可用内存 %2</numerusform>
        </translation>
    </message>
    <message>
        <source>bfloat16 copies</source>
        <translation>bfloat16 副本</translation>
    </message>
    <message>
        <source>Graphics card %1: %2 of %3 free.</source>
        <translation>显卡 %1：需要 %2，可用 %3。</translation>
    </message>
    <message>
        <source>key/value cache</source>
        <translation>键值缓存</translation>
    </message>
    <message>
        <source>scores of tokens</source>
        <translation>词元得分</translation>
    </message>
    <message>
        <source>program and working memory</source>
        <translation>程序与工作内存</translation>
    </message>
</context>
<context>
    <name>cloister::FreezeSheet</name>
    <message>
        <source>Freeze a snapshot</source>
        <translation>冻结快照</translation>
    </message>
    <message>
        <source>Close without freezing</source>
        <translation>关闭，不冻结</translation>
    </message>
    <message>
        <source>Split</source>
        <translation>数据划分</translation>
    </message>
    <message>
        <source>Preprocessing</source>
        <translation>预处理</translation>
    </message>
    <message>
        <source>What will be frozen</source>
        <translation>将要冻结的内容</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>训练</translation>
    </message>
    <message>
        <source>Validation</source>
        <translation>验证</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>测试</translation>
    </message>
    <message>
        <source>Keep together</source>
        <translation>划分单位</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>随机种子</translation>
    </message>
    <message>
        <source>Image size</source>
        <translation>图像尺寸</translation>
    </message>
    <message>
        <source>Channels</source>
        <translation>通道</translation>
    </message>
    <message>
        <source>Grey window</source>
        <translation>灰度窗</translation>
    </message>
    <message>
        <source>Fit to the square</source>
        <translation>缩放方式</translation>
    </message>
    <message>
        <source>Images of one patient</source>
        <translation>同一患者的图像不拆开</translation>
    </message>
    <message>
        <source>Images of one study</source>
        <translation>同一检查的图像不拆开</translation>
    </message>
    <message>
        <source>Images of one series</source>
        <translation>同一序列的图像不拆开</translation>
    </message>
    <message>
        <source>Images of one site</source>
        <translation>同一机构的图像不拆开</translation>
    </message>
    <message>
        <source>Nothing: each image alone</source>
        <translation>每张图像单独划分</translation>
    </message>
    <message>
        <source>Same share of each label in every split</source>
        <translation>各划分中标签比例一致</translation>
    </message>
    <message>
        <source>Reason, kept in the snapshot and the audit log</source>
        <translation>理由（记入快照和审计日志）</translation>
    </message>
    <message>
        <source>For example: phantoms only, no patients</source>
        <translation>例如：仅为体模，不含患者</translation>
    </message>
    <message>
        <source> pixels</source>
        <translation> 像素</translation>
    </message>
    <message>
        <source>1, grey</source>
        <translation>1，灰度</translation>
    </message>
    <message>
        <source>3, colour</source>
        <translation>3，彩色</translation>
    </message>
    <message>
        <source>As stored in the file</source>
        <translation>按文件中的设置</translation>
    </message>
    <message>
        <source>Percentiles 0.5–99.5</source>
        <translation>百分位 0.5–99.5</translation>
    </message>
    <message>
        <source>Darkest to brightest</source>
        <translation>最暗到最亮</translation>
    </message>
    <message>
        <source>Level and width</source>
        <translation>窗位和窗宽</translation>
    </message>
    <message>
        <source>Level and width, separated by a comma</source>
        <translation>窗位和窗宽，用逗号分隔</translation>
    </message>
    <message>
        <source>Whole image, black borders</source>
        <translation>整幅图像，黑边填充</translation>
    </message>
    <message>
        <source>Centre, edges cut off</source>
        <translation>取中心，裁去边缘</translation>
    </message>
    <message>
        <source>Stretched</source>
        <translation>拉伸</translation>
    </message>
    <message>
        <source>The three shares add up to %1 %; they must make 100 %.</source>
        <translation>三项合计为 %1 %，必须为 100 %。</translation>
    </message>
    <message>
        <source>Working it out…</source>
        <translation>正在计算…</translation>
    </message>
    <message>
        <source>Left out: %1 without a label or excluded</source>
        <translation>略过：%1 个无标签或已排除</translation>
    </message>
    <message>
        <source>Stops: %1</source>
        <translation>阻止冻结：%1</translation>
    </message>
    <message>
        <source>Note: %1</source>
        <translation>注意：%1</translation>
    </message>
    <message>
        <source>Training: %1</source>
        <translation>训练：%1</translation>
    </message>
    <message>
        <source>Validation: %1</source>
        <translation>验证：%1</translation>
    </message>
    <message>
        <source>Test: %1</source>
        <translation>测试：%1</translation>
    </message>
    <message numerus="yes">
        <source>%Ln group(s), each on one side only</source>
        <translation>
            <numerusform>%Ln 个分组，每组只在一侧</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>cloister::FreezeTextsSheet</name>
    <message>
        <source>The three shares add up to %1 %; they must make 100 %.</source>
        <translation>三个比例之和为 %1 %，必须等于 100 %。</translation>
    </message>
    <message>
        <source>Working it out…</source>
        <translation>正在计算…</translation>
    </message>
    <message>
        <source>%1, %2 in %3</source>
        <translation>%1，%2，共 %3</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>训练</translation>
    </message>
    <message>
        <source>Validation</source>
        <translation>验证</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>测试</translation>
    </message>
    <message>
        <source>%1: %2, %3</source>
        <translation>%1：%2，%3</translation>
    </message>
    <message>
        <source>Note: %1</source>
        <translation>提示：%1</translation>
    </message>
    <message>
        <source>Freeze a snapshot</source>
        <translation>冻结快照</translation>
    </message>
    <message>
        <source>Close without freezing</source>
        <translation>关闭，不冻结</translation>
    </message>
    <message>
        <source>Split</source>
        <translation>数据划分</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>随机种子</translation>
    </message>
    <message>
        <source>The same text is always on the same side. Validation shows while training whether the model still learns; the test is kept for the end.</source>
        <translation>相同的文本总在同一部分。训练期间用验证部分观察模型是否仍在进步，测试部分留到最后。</translation>
    </message>
    <message>
        <source>What will be frozen</source>
        <translation>将冻结的内容</translation>
    </message>
    <message>
        <source>Read and divide the texts</source>
        <translation>读取并划分文本</translation>
    </message>
    <message>
        <source>The check was stopped. Without it nothing can be frozen.</source>
        <translation>检查已停止。未经检查不能冻结。</translation>
    </message>
    <message>
        <source>Check again</source>
        <translation>重新检查</translation>
    </message>
</context>
<context>
    <name>cloister::HeaderTable</name>
    <message>
        <source>Search the header</source>
        <translation>搜索文件头</translation>
    </message>
    <message>
        <source>Copy the selected cells, or the whole table</source>
        <translation>复制所选单元格；未选择时复制整个表格</translation>
    </message>
    <message>
        <source>DICOM header</source>
        <translation>DICOM 文件头</translation>
    </message>
    <message>
        <source>Tag</source>
        <translation>标签号</translation>
    </message>
    <message>
        <source>Keyword</source>
        <translation>关键字</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>值</translation>
    </message>
</context>
<context>
    <name>cloister::ImportSheet</name>
    <message>
        <source>Import</source>
        <translation>导入</translation>
    </message>
    <message>
        <source>Close this sheet; a running import goes on</source>
        <translation>关闭此面板；正在进行的导入会继续</translation>
    </message>
    <message>
        <source>Kind of files</source>
        <translation>文件类型</translation>
    </message>
    <message>
        <source>Folders and files</source>
        <translation>文件夹和文件</translation>
    </message>
    <message>
        <source>Drop folders or files here</source>
        <translation>把文件夹或文件拖到这里</translation>
    </message>
    <message>
        <source>Add a folder…</source>
        <translation>添加文件夹…</translation>
    </message>
    <message>
        <source>Add files…</source>
        <translation>添加文件…</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Options</source>
        <translation>选项</translation>
    </message>
    <message>
        <source>Labels from a table (CSV), optional</source>
        <translation>来自表格（CSV）的标签，可选</translation>
    </message>
    <message>
        <source>Stop the import</source>
        <translation>停止导入</translation>
    </message>
    <message>
        <source>Import more</source>
        <translation>继续导入</translation>
    </message>
    <message>
        <source>Folders and files to import</source>
        <translation>要导入的文件夹和文件</translation>
    </message>
    <message>
        <source>Label table</source>
        <translation>标签表格</translation>
    </message>
    <message>
        <source>Tables (*.csv *.tsv *.txt);;All files (*)</source>
        <translation>表格 (*.csv *.tsv *.txt);;所有文件 (*)</translation>
    </message>
    <message>
        <source>Progress of the import</source>
        <translation>导入进度</translation>
    </message>
    <message>
        <source>Choose a folder to import</source>
        <translation>选择要导入的文件夹</translation>
    </message>
    <message>
        <source>Choose files to import</source>
        <translation>选择要导入的文件</translation>
    </message>
    <message>
        <source>Looking for files…</source>
        <translation>正在查找文件…</translation>
    </message>
    <message>
        <source>%1 files/s</source>
        <translation>%1 个文件/秒</translation>
    </message>
    <message>
        <source>%1 accepted · %2 refused · %3 duplicates · %4 labelled</source>
        <translation>接受 %1 · 拒绝 %2 · 重复 %3 · 已标注 %4</translation>
    </message>
    <message>
        <source>Stopped as asked: %1</source>
        <translation>已按要求停止：%1</translation>
    </message>
    <message>
        <source>%1 of %2 · %3 accepted · %4 refused · %5 duplicate</source>
        <translation>%1 / %2 · 接受 %3 · 拒绝 %4 · 重复 %5</translation>
    </message>
    <message>
        <source>%1 accepted · %2 refused · %3 duplicates</source>
        <translation>接受 %1 · 拒绝 %2 · 重复 %3</translation>
    </message>
    <message>
        <source>Start import</source>
        <translation>开始导入</translation>
    </message>
</context>
<context>
    <name>cloister::Inspector</name>
    <message>
        <source>Close this panel (Esc)</source>
        <translation>关闭此面板（Esc）</translation>
    </message>
    <message>
        <source>Help on this page</source>
        <translation>本页帮助</translation>
    </message>
</context>
<context>
    <name>cloister::LabelBar</name>
    <message>
        <source>%1 selected:</source>
        <translation>已选 %1 张：</translation>
    </message>
    <message>
        <source>Select images, then press a number:</source>
        <translation>选中图像后按数字键：</translation>
    </message>
    <message>
        <source>Label the selection as %1 (key %2)</source>
        <translation>将所选图像标注为 %1（按键 %2）</translation>
    </message>
    <message>
        <source>New label</source>
        <translation>新标签</translation>
    </message>
    <message>
        <source>New label for the selection; Enter applies it</source>
        <translation>为所选图像设置新标签，按 Enter 应用</translation>
    </message>
    <message>
        <source>Exclude the selection from snapshots, or include it again (X)</source>
        <translation>将所选图像从快照中排除，或重新纳入（X）</translation>
    </message>
    <message>
        <source>Undo the last change of labels (Ctrl+Z)</source>
        <translation>撤销上一次标注更改（Ctrl+Z）</translation>
    </message>
    <message>
        <source>Redo (Ctrl+Shift+Z)</source>
        <translation>重做（Ctrl+Shift+Z）</translation>
    </message>
</context>
<context>
    <name>cloister::MainWindow</name>
    <message>
        <source>Project</source>
        <translation>项目</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>数据</translation>
    </message>
    <message>
        <source>Train</source>
        <translation>训练</translation>
    </message>
    <message>
        <source>Evaluate</source>
        <translation>评估</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>验证</translation>
    </message>
    <message>
        <source>System</source>
        <translation>系统</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Help: %1</source>
        <translation>帮助：%1</translation>
    </message>
    <message>
        <source>No project</source>
        <translation>无项目</translation>
    </message>
    <message>
        <source>%1 – Cloister</source>
        <translation>%1 – Cloister</translation>
    </message>
    <message>
        <source>Cloister</source>
        <translation>Cloister</translation>
    </message>
    <message>
        <source>Open or create a project</source>
        <translation>打开或新建项目</translation>
    </message>
    <message>
        <source>Project: %1</source>
        <translation>项目：%1</translation>
    </message>
    <message>
        <source>No snapshot</source>
        <translation>无快照</translation>
    </message>
    <message>
        <source>Snapshot %1</source>
        <translation>快照 %1</translation>
    </message>
    <message>
        <source>Freeze a snapshot on the Data page</source>
        <translation>在“数据”页冻结快照</translation>
    </message>
    <message numerus="yes">
        <source>%n run(s) active</source>
        <translation>
            <numerusform>%n 个训练进行中</numerusform>
        </translation>
    </message>
    <message>
        <source>Search (Ctrl+F)</source>
        <translation>搜索（Ctrl+F）</translation>
    </message>
    <message>
        <source>Search samples by key, patient or label</source>
        <translation>按键、患者或标签搜索样本</translation>
    </message>
    <message>
        <source>Help on this page (F1)</source>
        <translation>本页帮助（F1）</translation>
    </message>
    <message>
        <source>Open project…</source>
        <translation>打开项目…</translation>
    </message>
    <message>
        <source>Choose a project folder</source>
        <translation>选择项目文件夹</translation>
    </message>
    <message>
        <source>New project…</source>
        <translation>新建项目…</translation>
    </message>
    <message>
        <source>Close project</source>
        <translation>关闭项目</translation>
    </message>
    <message>
        <source>Try it</source>
        <translation>试用</translation>
    </message>
</context>
<context>
    <name>cloister::ModelSheet</name>
    <message>
        <source>Import a model</source>
        <translation>导入模型</translation>
    </message>
    <message>
        <source>Close without importing</source>
        <translation>关闭，不导入</translation>
    </message>
    <message>
        <source>Choose a folder with config.json, safetensors files and the tokenizer's files, as Hugging Face lays them out; a tokenizer alone will do as well. Everything is checked, then copied into the project; the originals stay as they are.</source>
        <translation>请选择含有 config.json、safetensors 文件和分词器文件的文件夹（Hugging Face 的布局），也可以只有分词器。所有文件先检查，再复制到项目中，原件保持不变。</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>文件夹</translation>
    </message>
    <message>
        <source>Folder of the model</source>
        <translation>模型文件夹</translation>
    </message>
    <message>
        <source>Name in the project</source>
        <translation>在项目中的名称</translation>
    </message>
    <message>
        <source>Numbers as</source>
        <translation>数值类型</translation>
    </message>
    <message>
        <source>Type of the copied weights</source>
        <translation>复制后权重的类型</translation>
    </message>
    <message>
        <source>As stored</source>
        <translation>与原文件相同</translation>
    </message>
    <message>
        <source>bfloat16, half the memory of float32</source>
        <translation>bfloat16，内存为 float32 的一半</translation>
    </message>
    <message>
        <source>float32</source>
        <translation>float32</translation>
    </message>
    <message>
        <source>Merge a LoRA adapter</source>
        <translation>合并 LoRA 适配器</translation>
    </message>
    <message>
        <source>Folder of a LoRA adapter to merge</source>
        <translation>要合并的 LoRA 适配器文件夹</translation>
    </message>
    <message>
        <source>None</source>
        <translation>无</translation>
    </message>
</context>
<context>
    <name>cloister::ModelsView</name>
    <message>
        <source>Tokenizer alone</source>
        <translation>仅分词器</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Nothing is known about it: import its folder, so that it is checked.</source>
        <translation>尚无它的信息：请导入其文件夹，以便检查。</translation>
    </message>
    <message>
        <source>Architecture: %1, %2 layers</source>
        <translation>结构：%1，%2 层</translation>
    </message>
    <message>
        <source>Parameters: %1</source>
        <translation>参数量：%1</translation>
    </message>
    <message>
        <source>Used for a token: %1</source>
        <translation>每个词元用到：%1</translation>
    </message>
    <message>
        <source>Context: %1 tokens</source>
        <translation>上下文：%1 个词元</translation>
    </message>
    <message>
        <source>Weights: %1</source>
        <translation>权重：%1</translation>
    </message>
    <message>
        <source>Tokenizer: %1, %2 pieces</source>
        <translation>分词器：%1，%2 个片段</translation>
    </message>
    <message>
        <source>Without a tokenizer: it needs one of the project to be trained on texts.</source>
        <translation>没有分词器：要在文本上训练，需用项目中的一个分词器。</translation>
    </message>
    <message>
        <source>Write and try</source>
        <translation>写作与试用</translation>
    </message>
    <message>
        <source>Train with QLoRA</source>
        <translation>用 QLoRA 训练</translation>
    </message>
    <message>
        <source>Train with LoRA</source>
        <translation>用 LoRA 训练</translation>
    </message>
    <message>
        <source>Train all weights</source>
        <translation>训练全部权重</translation>
    </message>
    <message>
        <source>fits</source>
        <translation>可以</translation>
    </message>
    <message>
        <source>does not fit</source>
        <translation>放不下</translation>
    </message>
    <message>
        <source>On the processor, %1 of memory; sequences of %2 tokens, one at a time.</source>
        <translation>使用处理器，内存 %1；每次一个序列，每个序列 %2 个词元。</translation>
    </message>
    <message>
        <source>On %1, %2; sequences of %3 tokens, one at a time.</source>
        <translation>使用 %1，%2；每次一个序列，每个序列 %3 个词元。</translation>
    </message>
    <message>
        <source>There is no model and no tokenizer yet. Bring a base model on a stick and import its folder: training goes on from what it already knows. For a model from scratch, freeze the texts and train a tokenizer on them.</source>
        <translation>还没有模型和分词器。可用 U 盘带来基础模型并导入其文件夹，训练会在它已有的知识上继续。若要从零训练，请先冻结文本，再用它们训练分词器。</translation>
    </message>
    <message>
        <source>Does it fit this machine?</source>
        <translation>本机能否容纳？</translation>
    </message>
    <message>
        <source>Models and tokenizers</source>
        <translation>模型与分词器</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Architecture</source>
        <translation>结构</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>参数量</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>上下文</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>Vocabulary</source>
        <translation>词表</translation>
    </message>
    <message>
        <source>Plan for many GPUs</source>
        <translation>规划多 GPU 训练</translation>
    </message>
</context>
<context>
    <name>cloister::NewProjectSheet</name>
    <message>
        <source>New project</source>
        <translation>新建项目</translation>
    </message>
    <message>
        <source>Image classification</source>
        <translation>图像分类</translation>
    </message>
    <message>
        <source>Each image gets one of a few labels, for example normal or pneumonia. Works with DICOM and with picture files.</source>
        <translation>每张图像归入几个标签之一，例如“正常”或“肺炎”。支持 DICOM 和普通图片文件。</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>文件夹</translation>
    </message>
    <message>
        <source>For example: Chest X-rays 2026</source>
        <translation>例如：胸片 2026</translation>
    </message>
    <message>
        <source>Name of the project</source>
        <translation>项目名称</translation>
    </message>
    <message>
        <source>Folder of the project</source>
        <translation>项目文件夹</translation>
    </message>
    <message>
        <source>Close without creating a project</source>
        <translation>关闭，不新建项目</translation>
    </message>
    <message>
        <source>What shall the model do?</source>
        <translation>模型要做什么？</translation>
    </message>
    <message>
        <source>Language model</source>
        <translation>语言模型</translation>
    </message>
    <message>
        <source>Goes on writing, answers, translates or summarises. Learns from text files, from scratch or on a model you bring along.</source>
        <translation>续写、回答、翻译或概括。从文本文件学习，可从零开始，也可在您带来的模型上继续。</translation>
    </message>
    <message>
        <source>Try the sample texts</source>
        <translation>试用示例文本</translation>
    </message>
    <message>
        <source>Try the sample images</source>
        <translation>试用示例图像</translation>
    </message>
</context>
<context>
    <name>cloister::Page</name>
    <message>
        <source>No project is open. Open or create one first.</source>
        <translation>没有打开的项目。请先打开或新建一个。</translation>
    </message>
    <message>
        <source>Go to Project</source>
        <translation>前往“项目”</translation>
    </message>
</context>
<context>
    <name>cloister::ParameterForm</name>
    <message>
        <source>Fewer settings</source>
        <translation>收起设置</translation>
    </message>
    <message>
        <source>More settings (%1)</source>
        <translation>更多设置（%1）</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Allowed: %1</source>
        <translation>允许的值：%1</translation>
    </message>
</context>
<context>
    <name>cloister::PathEdit</name>
    <message>
        <source>Choose a folder</source>
        <translation>选择文件夹</translation>
    </message>
    <message>
        <source>Choose a file</source>
        <translation>选择文件</translation>
    </message>
</context>
<context>
    <name>cloister::PieceView</name>
    <message>
        <source>Piece %1
Number %2
Bytes %3</source>
        <translation>片段 %1
编号 %2
字节 %3</translation>
    </message>
</context>
<context>
    <name>cloister::ProgressStrip</name>
    <message>
        <source>Progress of %1</source>
        <translation>%1 的进度</translation>
    </message>
    <message>
        <source>Stop %1; what is finished is kept</source>
        <translation>停止 %1；已完成的部分会保留</translation>
    </message>
</context>
<context>
    <name>cloister::ProjectCard</name>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>Open project %1</source>
        <translation>打开项目 %1</translation>
    </message>
    <message>
        <source>Remove from this list; the folder stays as it is</source>
        <translation>从此列表中移除；文件夹保持不变</translation>
    </message>
    <message>
        <source>Remove %1 from the list</source>
        <translation>从列表中移除 %1</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>正在读取…</translation>
    </message>
    <message>
        <source>No samples yet</source>
        <translation>还没有样本</translation>
    </message>
    <message>
        <source>No model yet</source>
        <translation>还没有模型</translation>
    </message>
    <message>
        <source>Last model %1: %2 %3</source>
        <translation>最近的模型 %1：%2 %3</translation>
    </message>
    <message>
        <source>Last run %1</source>
        <translation>最近的训练 %1</translation>
    </message>
    <message>
        <source>Cannot be opened</source>
        <translation>无法打开</translation>
    </message>
    <message>
        <source>The last run failed</source>
        <translation>最近一次训练失败</translation>
    </message>
    <message>
        <source>In order</source>
        <translation>正常</translation>
    </message>
    <message>
        <source>Is open</source>
        <translation>已打开</translation>
    </message>
    <message>
        <source>%1, %2 labelled</source>
        <translation>%1，已标注 %2 个</translation>
    </message>
</context>
<context>
    <name>cloister::ProjectPage</name>
    <message>
        <source>Sample project</source>
        <translation>示例项目</translation>
    </message>
    <message>
        <source>Drawing synthetic radiographs</source>
        <translation>正在生成合成胸片</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>项目</translation>
    </message>
    <message>
        <source>One folder holds data, runs and models; nothing leaves this computer.</source>
        <translation>一个文件夹保存数据、训练和模型；任何内容都不会离开本机。</translation>
    </message>
    <message>
        <source>New project</source>
        <translation>新建项目</translation>
    </message>
    <message>
        <source>Open a project folder…</source>
        <translation>打开项目文件夹…</translation>
    </message>
    <message>
        <source>Recent projects</source>
        <translation>最近的项目</translation>
    </message>
    <message>
        <source>Create project</source>
        <translation>新建项目</translation>
    </message>
    <message>
        <source>Continue with data</source>
        <translation>继续：数据</translation>
    </message>
    <message>
        <source>Choose a project folder</source>
        <translation>选择项目文件夹</translation>
    </message>
    <message>
        <source>&lt;p&gt;A project is an ordinary folder. It holds the imported originals, the frozen snapshots, every run and the signed bundles, so a copy of the folder is a complete backup.&lt;/p&gt;&lt;p&gt;&lt;b&gt;Try the sample images&lt;/b&gt; draws synthetic radiographs, &lt;b&gt;Try the sample texts&lt;/b&gt; makes up short reports with questions and answers: with either you can go the whole way. &lt;b&gt;New project&lt;/b&gt; starts with your own data.&lt;/p&gt;&lt;p&gt;Ctrl+1, Ctrl+2 … switch pages, Ctrl+F searches, F6 moves between the rail and the page.&lt;/p&gt;</source>
        <translation>&lt;p&gt;项目就是一个普通文件夹，其中存放导入的原始文件、冻结的快照、每次运行和签名包，因此复制该文件夹就是完整备份。&lt;/p&gt;&lt;p&gt;&lt;b&gt;试用示例图像&lt;/b&gt;会生成合成胸片，&lt;b&gt;试用示例文本&lt;/b&gt;会生成带问答的合成短报告：用其中任何一个都可以走完全程。&lt;b&gt;新建项目&lt;/b&gt;则从您自己的数据开始。&lt;/p&gt;&lt;p&gt;Ctrl+1、Ctrl+2 … 切换页面，Ctrl+F 搜索，F6 在导航栏与页面之间移动。&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Welcome. From images or texts to a signed model.</source>
        <translation>欢迎。从图像或文本到签名模型。</translation>
    </message>
    <message>
        <source>Bring labelled images, or texts for a language model. Cloister trains on this computer, shows how good and how fragile the model is, and signs it for the place where it will be used. Try a sample first: it takes a few minutes and needs no data of your own; the sample data is synthetic.</source>
        <translation>带上已标注的图像，或供语言模型学习的文本。Cloister 在本机训练，展示模型的效果与脆弱之处，并为其使用地点签名。可先试用示例：只需几分钟，不需要您自己的数据；示例数据均为合成数据。</translation>
    </message>
    <message>
        <source>Making up synthetic reports</source>
        <translation>正在生成合成报告</translation>
    </message>
    <message>
        <source>Synthetic reports (sample)</source>
        <translation>合成报告（示例）</translation>
    </message>
</context>
<context>
    <name>cloister::Rail</name>
    <message>
        <source>Pages</source>
        <translation>页面</translation>
    </message>
</context>
<context>
    <name>cloister::RailButton</name>
    <message>
        <source>This step is done.</source>
        <translation>此步骤已完成。</translation>
    </message>
    <message>
        <source>This step is running.</source>
        <translation>此步骤正在进行。</translation>
    </message>
    <message>
        <source>%1 (Ctrl+%2)</source>
        <translation>%1（Ctrl+%2）</translation>
    </message>
</context>
<context>
    <name>cloister::RecordView</name>
    <message>
        <source>Line or record %1</source>
        <translation>第 %1 行（条）</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>原文</translation>
    </message>
    <message>
        <source>Target</source>
        <translation>目标文本</translation>
    </message>
    <message>
        <source>Instruction</source>
        <translation>指令</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>Better answer</source>
        <translation>较好的回答</translation>
    </message>
    <message>
        <source>Worse answer</source>
        <translation>较差的回答</translation>
    </message>
    <message>
        <source>Line or record %1 was left out</source>
        <translation>第 %1 行（条）未采用</translation>
    </message>
</context>
<context>
    <name>cloister::RunChart</name>
    <message>
        <source>Step</source>
        <translation>步</translation>
    </message>
    <message>
        <source>Epoch</source>
        <translation>轮</translation>
    </message>
    <message>
        <source>Series</source>
        <translation>曲线</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>数值</translation>
    </message>
    <message>
        <source>%1 at step %2: %3</source>
        <translation>%1，第 %2 步：%3</translation>
    </message>
    <message>
        <source>Save the chart</source>
        <translation>保存图表</translation>
    </message>
    <message>
        <source>Training loss</source>
        <translation>训练损失</translation>
    </message>
    <message>
        <source>Validation loss</source>
        <translation>验证损失</translation>
    </message>
    <message>
        <source>Validation AUC</source>
        <translation>验证 AUC</translation>
    </message>
    <message>
        <source>Validation accuracy</source>
        <translation>验证准确率</translation>
    </message>
    <message>
        <source>Validation balanced accuracy</source>
        <translation>验证均衡准确率</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>学习率</translation>
    </message>
    <message>
        <source>Gradient norm</source>
        <translation>梯度范数</translation>
    </message>
    <message>
        <source>Samples per second</source>
        <translation>每秒样本数</translation>
    </message>
    <message>
        <source>Memory (bytes)</source>
        <translation>内存（字节）</translation>
    </message>
    <message>
        <source>Log axis</source>
        <translation>对数轴</translation>
    </message>
    <message>
        <source>Logarithmic loss axis</source>
        <translation>损失使用对数坐标轴</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>跟随</translation>
    </message>
    <message>
        <source>Keep the newest points in view</source>
        <translation>始终显示最新的点</translation>
    </message>
    <message>
        <source>Smoothing</source>
        <translation>平滑</translation>
    </message>
    <message>
        <source>Smoothing of the training curves</source>
        <translation>训练曲线的平滑程度</translation>
    </message>
    <message>
        <source>Metric of the lower chart</source>
        <translation>下方图表的指标</translation>
    </message>
    <message>
        <source>Whole history</source>
        <translation>全部历史</translation>
    </message>
    <message>
        <source>Table</source>
        <translation>表格</translation>
    </message>
    <message>
        <source>The same curves as a table</source>
        <translation>以表格显示同样的曲线</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Picture (PNG)</source>
        <translation>图片（PNG）</translation>
    </message>
    <message>
        <source>Vector picture (SVG)</source>
        <translation>矢量图（SVG）</translation>
    </message>
    <message>
        <source>Numbers (CSV)</source>
        <translation>数据（CSV）</translation>
    </message>
    <message>
        <source>Training chart. The Table button shows the same values as text.</source>
        <translation>训练图表。“表格”按钮以文字显示同样的数值。</translation>
    </message>
    <message>
        <source>Values of the training chart</source>
        <translation>训练图表的数值</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>损失</translation>
    </message>
    <message>
        <source>Validation perplexity</source>
        <translation>验证困惑度</translation>
    </message>
    <message>
        <source>Tokens per second</source>
        <translation>每秒词元数</translation>
    </message>
</context>
<context>
    <name>cloister::RunWatcher</name>
    <message>
        <source>Import</source>
        <translation>导入</translation>
    </message>
    <message>
        <source>Looking for files</source>
        <translation>正在查找文件</translation>
    </message>
    <message>
        <source>loss %1</source>
        <translation>损失 %1</translation>
    </message>
    <message>
        <source>%1 images/s</source>
        <translation>%1 张/秒</translation>
    </message>
    <message>
        <source>Run %1</source>
        <translation>训练 %1</translation>
    </message>
    <message>
        <source>Evaluating %1</source>
        <translation>正在评估 %1</translation>
    </message>
    <message>
        <source>Exporting %1</source>
        <translation>正在导出 %1</translation>
    </message>
    <message>
        <source>waits for another run</source>
        <translation>等待其他训练完成</translation>
    </message>
    <message>
        <source>stopping after a checkpoint</source>
        <translation>保存检查点后停止</translation>
    </message>
    <message>
        <source>%1 of %2 · %3 files/s</source>
        <translation>%1 / %2 · 每秒 %3 个文件</translation>
    </message>
    <message>
        <source>loading</source>
        <translation>正在载入</translation>
    </message>
    <message>
        <source>choosing the threshold</source>
        <translation>正在选择阈值</translation>
    </message>
    <message>
        <source>answering for the test split</source>
        <translation>正在对测试集作答</translation>
    </message>
    <message>
        <source>working out the figures</source>
        <translation>正在计算指标</translation>
    </message>
    <message>
        <source>drawing examples</source>
        <translation>正在绘制示例</translation>
    </message>
    <message>
        <source>trying to mislead the model</source>
        <translation>正在尝试误导模型</translation>
    </message>
    <message>
        <source>measuring the speed</source>
        <translation>正在测量速度</translation>
    </message>
    <message>
        <source>writing the report</source>
        <translation>正在写报告</translation>
    </message>
    <message>
        <source>making and measuring the candidates</source>
        <translation>正在生成并测量候选</translation>
    </message>
    <message>
        <source>%1 tokens/s</source>
        <translation>%1 词元/秒</translation>
    </message>
    <message>
        <source>waits for its launcher</source>
        <translation>等待其启动器</translation>
    </message>
</context>
<context>
    <name>cloister::RunsModel</name>
    <message>
        <source>Waiting</source>
        <translation>排队中</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>进行中</translation>
    </message>
    <message>
        <source>Stopping</source>
        <translation>正在停止</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>已停止</translation>
    </message>
    <message>
        <source>Interrupted</source>
        <translation>已中断</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Finished</source>
        <translation>已完成</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>训练</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>进度</translation>
    </message>
    <message>
        <source>Best</source>
        <translation>最佳</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>开始时间</translation>
    </message>
    <message>
        <source>Handed over</source>
        <translation>已交出</translation>
    </message>
</context>
<context>
    <name>cloister::SampleModel</name>
    <message>
        <source>Loading…</source>
        <translation>正在加载…</translation>
    </message>
    <message>
        <source>no label</source>
        <translation>无标签</translation>
    </message>
    <message>
        <source>%1, %2</source>
        <translation>%1，%2</translation>
    </message>
    <message>
        <source>%1, excluded</source>
        <translation>%1，已排除</translation>
    </message>
</context>
<context>
    <name>cloister::SamplingForm</name>
    <message>
        <source>Next word</source>
        <translation>下一个词</translation>
    </message>
    <message>
        <source>Drawn: a little different each time, more lively. Most likely: always the same.</source>
        <translation>随机抽取：每次略有不同，更生动。最可能：结果始终相同。</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>Above 1 more daring, below 1 more careful.</source>
        <translation>大于 1 更大胆，小于 1 更谨慎。</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>Draw only among the most likely words that reach this probability together; 1: among all.</source>
        <translation>只在累计概率达到该值的最可能的词中抽取；1 表示全部。</translation>
    </message>
    <message>
        <source>Top-k</source>
        <translation>Top-k</translation>
    </message>
    <message>
        <source>Draw only among this many most likely words; 0: among all.</source>
        <translation>只在最可能的这么多个词中抽取；0 表示全部。</translation>
    </message>
    <message>
        <source>Repetition penalty</source>
        <translation>重复惩罚</translation>
    </message>
    <message>
        <source>Above 1, words that were there before become less likely; 1: off.</source>
        <translation>大于 1 时，已出现过的词更不容易再出现；1 表示关闭。</translation>
    </message>
    <message>
        <source>Tokens at most</source>
        <translation>最多词元数</translation>
    </message>
    <message>
        <source>The answer ends here at the latest.</source>
        <translation>回答最长到此为止。</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>随机种子</translation>
    </message>
    <message>
        <source>The same seed draws the same words.</source>
        <translation>种子相同，抽到的词也相同。</translation>
    </message>
    <message>
        <source>Stop texts</source>
        <translation>停止文本</translation>
    </message>
    <message>
        <source>The answer ends before any of these texts, one a line.</source>
        <translation>回答在遇到其中任何一段文本之前结束，每行一段。</translation>
    </message>
    <message>
        <source>Sampling</source>
        <translation>采样</translation>
    </message>
    <message>
        <source>Drawn</source>
        <translation>随机抽取</translation>
    </message>
    <message>
        <source>Most likely</source>
        <translation>最可能</translation>
    </message>
    <message>
        <source>off</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>One after the other</source>
        <translation>依次回答</translation>
    </message>
    <message>
        <source>The models answer one after the other: each has the whole processor, so that their speeds can be compared.</source>
        <translation>两个模型依次回答：各自独占处理器，速度才可以比较。</translation>
    </message>
</context>
<context>
    <name>cloister::ScalePlanner</name>
    <message>
        <source>No layout of these GPUs fits.</source>
        <translation>这些 GPU 没有放得下的布局。</translation>
    </message>
    <message>
        <source>on %1</source>
        <translation>在 %1 上</translation>
    </message>
    <message>
        <source>with sequences of %1 tokens</source>
        <translation>每条序列 %1 个词元时</translation>
    </message>
    <message>
        <source>It fits %1: %2.</source>
        <translation>%1放得下：%2。</translation>
    </message>
    <message>
        <source>The fewest of these GPUs that train it: %1 (%2).</source>
        <translation>能够训练它的最少 GPU 数：%1（%2）。</translation>
    </message>
    <message>
        <source>4,096 of these GPUs do not hold it.</source>
        <translation>4,096 个这样的 GPU 也放不下。</translation>
    </message>
    <message>
        <source>%1 times as long: </source>
        <translation>耗时 %1 倍：</translation>
    </message>
    <message>
        <source>%1 on many GPUs</source>
        <translation>%1：多 GPU 规划</translation>
    </message>
    <message>
        <source>Back to the models</source>
        <translation>返回模型列表</translation>
    </message>
    <message>
        <source>GPUs of</source>
        <translation>GPU 型号</translation>
    </message>
    <message>
        <source>Kind of GPU</source>
        <translation>GPU 型号</translation>
    </message>
    <message>
        <source>Number</source>
        <translation>数量</translation>
    </message>
    <message>
        <source>Number of GPUs</source>
        <translation>GPU 数量</translation>
    </message>
    <message>
        <source>Tokens of a sequence</source>
        <translation>每条序列的词元数</translation>
    </message>
    <message>
        <source>Sequences of a step</source>
        <translation>每步的序列数</translation>
    </message>
    <message>
        <source>Computed in</source>
        <translation>计算精度</translation>
    </message>
    <message>
        <source>Precision of the computation</source>
        <translation>计算精度</translation>
    </message>
    <message>
        <source>Layout</source>
        <translation>布局</translation>
    </message>
    <message>
        <source>Seconds a step</source>
        <translation>每步秒数</translation>
    </message>
    <message>
        <source>Tokens a second</source>
        <translation>每秒词元数</translation>
    </message>
    <message>
        <source>MFU</source>
        <translation>MFU</translation>
    </message>
    <message>
        <source>Memory of a GPU</source>
        <translation>每个 GPU 的显存</translation>
    </message>
    <message>
        <source>Proposed layouts, the quickest first</source>
        <translation>建议的布局，最快的在前</translation>
    </message>
    <message>
        <source>Why not others</source>
        <translation>其他布局为何不选</translation>
    </message>
    <message>
        <source>Assumed</source>
        <translation>假设</translation>
    </message>
</context>
<context>
    <name>cloister::SettingsPage</name>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Kept for you on this computer; nothing is sent anywhere.</source>
        <translation>设置仅保存在本机，不会发送到任何地方。</translation>
    </message>
    <message>
        <source>&lt;p&gt;Language, theme and text size change at once. The scale makes everything larger, pictures included, and needs a new start of Cloister; training goes on meanwhile.&lt;/p&gt;&lt;p&gt;The keys folder holds your signing keys. The private part is locked with your passphrase, so a copy of the folder alone signs nothing.&lt;/p&gt;</source>
        <translation>&lt;p&gt;语言、主题和文字大小立即生效。缩放会放大包括图像在内的所有内容，需要重新启动 Cloister；训练不受影响。&lt;/p&gt;&lt;p&gt;密钥文件夹保存您的签名密钥。私钥由您的口令保护，仅复制该文件夹无法签名。&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>主题</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>文字大小</translation>
    </message>
    <message>
        <source>Scale</source>
        <translation>缩放</translation>
    </message>
    <message>
        <source>Keys folder</source>
        <translation>密钥文件夹</translation>
    </message>
    <message>
        <source>As the desktop</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Normal</source>
        <translation>标准</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>较大</translation>
    </message>
    <message>
        <source>Largest</source>
        <translation>最大</translation>
    </message>
    <message>
        <source>Restart Cloister</source>
        <translation>重新启动 Cloister</translation>
    </message>
    <message>
        <source>On top of the desktop's own scaling. Takes effect when Cloister starts again; training goes on meanwhile.</source>
        <translation>在系统缩放的基础上叠加。重新启动 Cloister 后生效；训练不受影响。</translation>
    </message>
    <message>
        <source>Empty: your configuration folder. A USB stick keeps the keys off this computer.</source>
        <translation>留空则使用您的配置文件夹。使用 U 盘可让密钥不留在本机。</translation>
    </message>
    <message>
        <source>Cloister %1 (%2). Free software under GPL-3.0-or-later. This program opens no network connection. Models made with it are not medical devices.</source>
        <translation>Cloister %1（%2）。自由软件，采用 GPL-3.0-or-later 许可。本程序不建立任何网络连接。用它制作的模型不是医疗器械。</translation>
    </message>
</context>
<context>
    <name>cloister::SummaryBar</name>
    <message>
        <source>Show all images</source>
        <translation>显示所有图像</translation>
    </message>
    <message>
        <source>Choose a patient</source>
        <translation>选择患者</translation>
    </message>
    <message>
        <source>Choose a label</source>
        <translation>选择标签</translation>
    </message>
    <message>
        <source>%1 without a label</source>
        <translation>%1 张无标签</translation>
    </message>
    <message>
        <source>Show images without a label</source>
        <translation>显示无标签的图像</translation>
    </message>
    <message>
        <source>Show the duplicate files and their originals</source>
        <translation>显示重复文件及其原件</translation>
    </message>
    <message>
        <source>%1 refused</source>
        <translation>%1 个被拒绝</translation>
    </message>
    <message>
        <source>Show the refused files with the reason</source>
        <translation>显示被拒绝的文件及原因</translation>
    </message>
    <message>
        <source>%1 with a warning</source>
        <translation>%1 张有警告</translation>
    </message>
    <message>
        <source>Show images with a warning</source>
        <translation>显示有警告的图像</translation>
    </message>
    <message>
        <source>%1 excluded</source>
        <translation>%1 张已排除</translation>
    </message>
    <message>
        <source>Show or hide excluded images</source>
        <translation>显示或隐藏已排除的图像</translation>
    </message>
    <message>
        <source>%1 shown</source>
        <translation>显示 %1 张</translation>
    </message>
    <message numerus="yes">
        <source>%Ln duplicate(s)</source>
        <translation>
            <numerusform>%Ln 个重复</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>cloister::SystemPage</name>
    <message>
        <source>System</source>
        <translation>系统</translation>
    </message>
    <message>
        <source>What this computer is good for.</source>
        <translation>这台计算机适合做什么。</translation>
    </message>
    <message>
        <source>&lt;p&gt;Training is limited first by the graphics card or processor, then by memory, then by the disk that holds the prepared images. &lt;b&gt;Measure the disk&lt;/b&gt; writes and reads a file of 256 MB in the project folder and removes it again.&lt;/p&gt;&lt;p&gt;The Train page checks a recipe against these figures before it starts.&lt;/p&gt;</source>
        <translation>&lt;p&gt;训练首先受显卡或处理器限制，其次是内存，再次是存放预处理图像的磁盘。&lt;b&gt;测量磁盘&lt;/b&gt;会在项目文件夹中写入并读取一个 256 MB 的文件，然后将其删除。&lt;/p&gt;&lt;p&gt;开始训练之前，“训练”页会用这些数据核对配方。&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>处理器</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>内存</translation>
    </message>
    <message>
        <source>Disk of the project</source>
        <translation>项目所在磁盘</translation>
    </message>
    <message>
        <source>Graphics card</source>
        <translation>显卡</translation>
    </message>
    <message>
        <source>InfiniBand</source>
        <translation>InfiniBand</translation>
    </message>
    <message>
        <source>Measure the disk</source>
        <translation>测量磁盘</translation>
    </message>
    <message>
        <source>Copy all figures</source>
        <translation>复制全部信息</translation>
    </message>
    <message>
        <source>Reading the inventory…</source>
        <translation>正在读取硬件信息…</translation>
    </message>
    <message>
        <source>No vector instructions that matter here</source>
        <translation>没有可用的向量指令</translation>
    </message>
    <message>
        <source>%1 free now</source>
        <translation>当前可用 %1</translation>
    </message>
    <message>
        <source>%1 free of %2</source>
        <translation>可用 %1，共 %2</translation>
    </message>
    <message>
        <source>Measuring…</source>
        <translation>正在测量…</translation>
    </message>
    <message>
        <source>Speed not measured yet</source>
        <translation>尚未测量速度</translation>
    </message>
    <message>
        <source>Writes %1/s, reads %2/s</source>
        <translation>写入 %1/秒，读取 %2/秒</translation>
    </message>
    <message>
        <source>%1 free of %2, driver %3</source>
        <translation>可用 %1，共 %2，驱动 %3</translation>
    </message>
    <message>
        <source>None</source>
        <translation>无</translation>
    </message>
    <message>
        <source>%1: %2, %3 Gbit/s</source>
        <translation>%1：%2，%3 Gbit/s</translation>
    </message>
    <message numerus="yes">
        <source>%n port(s)</source>
        <translation>
            <numerusform>%n 个端口</numerusform>
        </translation>
    </message>
    <message>
        <source>Only needed to train on several computers at once.</source>
        <translation>仅在多台计算机同时训练时需要。</translation>
    </message>
    <message>
        <source>Measuring the disk</source>
        <translation>正在测量磁盘</translation>
    </message>
    <message>
        <source>%1, %2</source>
        <translation>%1，%2</translation>
    </message>
    <message numerus="yes">
        <source>Can train: %n card(s) with CUDA</source>
        <translation>
            <numerusform>可用于训练：%n 块支持 CUDA 的显卡</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>cloister::TablePreview</name>
    <message>
        <source>Separator</source>
        <translation>分隔符</translation>
    </message>
    <message>
        <source>Encoding</source>
        <translation>编码</translation>
    </message>
    <message>
        <source>Decimal sign</source>
        <translation>小数点</translation>
    </message>
    <message>
        <source>First row</source>
        <translation>首行</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Automatic: %1</source>
        <translation>自动：%1</translation>
    </message>
    <message>
        <source>comma</source>
        <translation>逗号</translation>
    </message>
    <message>
        <source>semicolon</source>
        <translation>分号</translation>
    </message>
    <message>
        <source>tab</source>
        <translation>制表符</translation>
    </message>
    <message>
        <source>bar</source>
        <translation>竖线</translation>
    </message>
    <message>
        <source>names</source>
        <translation>列名</translation>
    </message>
    <message>
        <source>data</source>
        <translation>数据</translation>
    </message>
    <message>
        <source>Column names</source>
        <translation>列名</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>数据</translation>
    </message>
    <message>
        <source>Preview of the table</source>
        <translation>表格预览</translation>
    </message>
    <message>
        <source>Give each column a role. The key is the file name, its path or the SOPInstanceUID; the group keeps the images of one patient on one side of the split.</source>
        <translation>为每一列指定用途。键是文件名、路径或 SOPInstanceUID；组使同一患者的图像只出现在一个划分中。</translation>
    </message>
    <message>
        <source>Ignore</source>
        <translation>忽略</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>键</translation>
    </message>
    <message>
        <source>Label</source>
        <translation>标签</translation>
    </message>
    <message>
        <source>Group (patient)</source>
        <translation>组（患者）</translation>
    </message>
    <message>
        <source>Site</source>
        <translation>机构</translation>
    </message>
    <message>
        <source>Role of the column %1</source>
        <translation>列 %1 的用途</translation>
    </message>
    <message>
        <source>A table names each image and gives it a label, a patient or a site, one row an image. Drop a CSV file anywhere on this sheet. Without a table, labels come from the folder names, or you set them afterwards.</source>
        <translation>表格每行对应一张图像，给出其标签、患者或机构。可把 CSV 文件拖到此面板的任意位置。没有表格时，标签取自文件夹名称，或稍后由您标注。</translation>
    </message>
</context>
<context>
    <name>cloister::TextList</name>
    <message>
        <source>Running text</source>
        <translation>连续文本</translation>
    </message>
    <message>
        <source>Instructions with answers</source>
        <translation>带回答的指令</translation>
    </message>
    <message>
        <source>Pairs</source>
        <translation>成对文本</translation>
    </message>
    <message>
        <source>Preferences</source>
        <translation>偏好数据</translation>
    </message>
    <message>
        <source>Left out</source>
        <translation>已排除</translation>
    </message>
    <message numerus="yes">
        <source>%Ln record(s) not usable</source>
        <translation>
            <numerusform>%Ln 条记录无法使用</numerusform>
        </translation>
    </message>
    <message>
        <source>Good</source>
        <translation>正常</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>类型</translation>
    </message>
    <message>
        <source>Records</source>
        <translation>记录数</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
</context>
<context>
    <name>cloister::TextsPage</name>
    <message>
        <source>Snapshot %1 is frozen: %2 records for training, %3 for validation, %4 for the test.</source>
        <translation>快照 %1 已冻结：训练 %2 条，验证 %3 条，测试 %4 条。</translation>
    </message>
    <message>
        <source>Continue with training</source>
        <translation>继续训练</translation>
    </message>
    <message>
        <source>Now a model or a tokenizer</source>
        <translation>接下来准备模型或分词器</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>数据</translation>
    </message>
    <message>
        <source>Texts to learn from, models to begin with; then freeze the texts.</source>
        <translation>准备学习用的文本和起步用的模型，然后冻结文本。</translation>
    </message>
    <message>
        <source>&lt;p&gt;&lt;b&gt;Texts&lt;/b&gt;: running text (.txt, .md), instructions with answers (Alpaca, ShareGPT, messages as .json or .jsonl), pairs (.tsv or .jsonl) and preferences. The files are copied into the project; the originals stay where they are.&lt;/p&gt;&lt;p&gt;&lt;b&gt;Models and tokenizers&lt;/b&gt;: import the folder of a base model, or train a tokenizer for a model from scratch.&lt;/p&gt;&lt;p&gt;&lt;b&gt;How a text is cut&lt;/b&gt; shows the pieces that a tokenizer makes of a text. A tokenizer that needs many pieces for your words makes training slow and answers short.&lt;/p&gt;&lt;p&gt;&lt;b&gt;Freeze snapshot&lt;/b&gt; fixes texts and split under one digest, so that a result can be traced and repeated.&lt;/p&gt;</source>
        <translation>&lt;p&gt;&lt;b&gt;文本&lt;/b&gt;：连续文本（.txt、.md）、带回答的指令（Alpaca、ShareGPT、messages，.json 或 .jsonl）、成对文本（.tsv 或 .jsonl）和偏好数据。文件会复制到项目中，原件保持不动。&lt;/p&gt;&lt;p&gt;&lt;b&gt;模型与分词器&lt;/b&gt;：导入基础模型的文件夹，或为从零训练的模型训练分词器。&lt;/p&gt;&lt;p&gt;&lt;b&gt;文本如何切分&lt;/b&gt;显示分词器把一段文本切成哪些片段。如果您的用词需要很多片段，训练会变慢，回答也会变短。&lt;/p&gt;&lt;p&gt;&lt;b&gt;冻结快照&lt;/b&gt;把文本和数据划分固定在一个摘要之下，结果因此可以追溯和重复。&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Beginning of %1</source>
        <translation>%1 的开头</translation>
    </message>
    <message>
        <source>Import %1</source>
        <translation>导入 %1</translation>
    </message>
    <message>
        <source>Train %1</source>
        <translation>训练 %1</translation>
    </message>
    <message>
        <source>counting the texts</source>
        <translation>正在统计文本</translation>
    </message>
    <message>
        <source>learning the pieces</source>
        <translation>正在学习片段</translation>
    </message>
    <message>
        <source>%1 is in the project now.</source>
        <translation>%1 已加入项目。</translation>
    </message>
    <message>
        <source>Leave out</source>
        <translation>排除</translation>
    </message>
    <message>
        <source>Take in again</source>
        <translation>重新纳入</translation>
    </message>
    <message>
        <source>Freeze the texts first: a tokenizer learns from their training part.</source>
        <translation>请先冻结文本：分词器从其中的训练部分学习。</translation>
    </message>
    <message>
        <source>Freeze snapshot</source>
        <translation>冻结快照</translation>
    </message>
    <message>
        <source>Training needs frozen texts and a tokenizer.</source>
        <translation>训练需要已冻结的文本和一个分词器。</translation>
    </message>
    <message>
        <source>Back to the texts</source>
        <translation>返回文本</translation>
    </message>
    <message>
        <source>Freezing…</source>
        <translation>正在冻结…</translation>
    </message>
    <message>
        <source>Import model</source>
        <translation>导入模型</translation>
    </message>
    <message>
        <source>Train tokenizer</source>
        <translation>训练分词器</translation>
    </message>
    <message>
        <source>The examination shows no finding.
The heart is of normal size.</source>
        <translation>检查未见异常。
心脏大小正常。</translation>
    </message>
    <message>
        <source>Drop text files here</source>
        <translation>把文本文件拖到这里</translation>
    </message>
    <message>
        <source>Running text, instructions with answers, translations or summaries: Cloister copies the files into the project and finds out what they hold. Then freeze a snapshot, and train a model on it that never saw the test part.</source>
        <translation>连续文本、带回答的指令、译文或摘要都可以：Cloister 把文件复制到项目中，并识别其内容。随后冻结快照，在其上训练模型，测试部分始终不参与训练。</translation>
    </message>
    <message>
        <source>Import texts</source>
        <translation>导入文本</translation>
    </message>
    <message>
        <source>Import texts…</source>
        <translation>导入文本…</translation>
    </message>
    <message>
        <source>Import a model…</source>
        <translation>导入模型…</translation>
    </message>
    <message>
        <source>Train a tokenizer…</source>
        <translation>训练分词器…</translation>
    </message>
    <message>
        <source>Texts</source>
        <translation>文本</translation>
    </message>
    <message>
        <source>Models and tokenizers</source>
        <translation>模型与分词器</translation>
    </message>
    <message>
        <source>How a text is cut</source>
        <translation>文本如何切分</translation>
    </message>
    <message>
        <source>Views of the data</source>
        <translation>数据视图</translation>
    </message>
    <message>
        <source>Text files</source>
        <translation>文本文件</translation>
    </message>
    <message>
        <source>First records of the chosen file</source>
        <translation>所选文件的前几条记录</translation>
    </message>
    <message>
        <source>checking the files</source>
        <translation>正在检查文件</translation>
    </message>
    <message>
        <source>copying, %1</source>
        <translation>正在复制，%1</translation>
    </message>
    <message>
        <source>recording the digest, %1</source>
        <translation>正在记录摘要，%1</translation>
    </message>
    <message>
        <source>Stopped as asked; nothing of it was kept.</source>
        <translation>已按要求停止；未保留任何内容。</translation>
    </message>
</context>
<context>
    <name>cloister::ThumbGrid</name>
    <message>
        <source>no label</source>
        <translation>无标签</translation>
    </message>
</context>
<context>
    <name>cloister::TokenizerSheet</name>
    <message>
        <source>Train a tokenizer</source>
        <translation>训练分词器</translation>
    </message>
    <message>
        <source>Close without training</source>
        <translation>关闭，不训练</translation>
    </message>
    <message>
        <source>For a model from scratch: learns from the training texts of the newest snapshot which pieces to cut texts into. An imported model keeps its own tokenizer.</source>
        <translation>用于从零训练的模型：从最新快照的训练文本中学习把文本切成哪些片段。导入的模型保留自己的分词器。</translation>
    </message>
    <message>
        <source>Name in the project</source>
        <translation>在项目中的名称</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>类型</translation>
    </message>
    <message>
        <source>Kind of tokenizer</source>
        <translation>分词器类型</translation>
    </message>
    <message>
        <source>BPE: joins frequent neighbours</source>
        <translation>BPE：合并常见的相邻片段</translation>
    </message>
    <message>
        <source>Unigram: keeps the likeliest pieces</source>
        <translation>Unigram：保留最可能的片段</translation>
    </message>
    <message>
        <source> pieces</source>
        <translation> 个片段</translation>
    </message>
    <message>
        <source>Pieces of the vocabulary</source>
        <translation>词表片段数</translation>
    </message>
    <message>
        <source>Vocabulary, at most</source>
        <translation>词表，最多</translation>
    </message>
</context>
<context>
    <name>cloister::TokenizerView</name>
    <message>
        <source>Choose a folder…</source>
        <translation>选择文件夹…</translation>
    </message>
    <message>
        <source>Choose the folder of a tokenizer</source>
        <translation>选择分词器文件夹</translation>
    </message>
    <message numerus="yes">
        <source>%Ln character(s)</source>
        <translation>
            <numerusform>%Ln 个字符</numerusform>
        </translation>
    </message>
    <message>
        <source>%1 characters per token</source>
        <translation>每个词元 %1 个字符</translation>
    </message>
    <message>
        <source>%1 bytes per token</source>
        <translation>每个词元 %1 字节</translation>
    </message>
    <message>
        <source>the first %1 are shown</source>
        <translation>显示前 %1 个</translation>
    </message>
    <message>
        <source>Kind: %1, %2</source>
        <translation>类型：%1，%2</translation>
    </message>
    <message>
        <source>Vocabulary: %1 pieces</source>
        <translation>词表：%1 个片段</translation>
    </message>
    <message>
        <source>Chat template: %1</source>
        <translation>对话模板：%1</translation>
    </message>
    <message>
        <source>Chat template: %1, as it names none</source>
        <translation>对话模板：%1（分词器未指定，取默认值）</translation>
    </message>
    <message>
        <source>Tokenizer</source>
        <translation>分词器</translation>
    </message>
    <message>
        <source>As a table</source>
        <translation>以表格显示</translation>
    </message>
    <message>
        <source>There is no tokenizer yet. A tokenizer cuts texts into the pieces a model reads: words, parts of words, bytes. It comes with an imported model, or you train one on your own texts.</source>
        <translation>还没有分词器。分词器把文本切成模型读取的片段：词、词的一部分或字节。它随导入的模型一起到来，也可以用您自己的文本训练。</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>文本</translation>
    </message>
    <message>
        <source>Text to cut</source>
        <translation>要切分的文本</translation>
    </message>
    <message>
        <source>Type or paste a text: its pieces appear below.</source>
        <translation>输入或粘贴一段文本，下面会显示它的片段。</translation>
    </message>
    <message>
        <source>Or a file</source>
        <translation>或选择文件</translation>
    </message>
    <message>
        <source>Text file to cut</source>
        <translation>要切分的文本文件</translation>
    </message>
    <message>
        <source>Pieces of the text</source>
        <translation>文本的片段</translation>
    </message>
    <message>
        <source>Pieces of the text as a table</source>
        <translation>文本片段表</translation>
    </message>
    <message>
        <source>Piece</source>
        <translation>片段</translation>
    </message>
    <message>
        <source>Number</source>
        <translation>编号</translation>
    </message>
    <message>
        <source>Bytes</source>
        <translation>字节</translation>
    </message>
    <message>
        <source>This tokenizer</source>
        <translation>此分词器</translation>
    </message>
    <message>
        <source>Special tokens</source>
        <translation>特殊词元</translation>
    </message>
</context>
<context>
    <name>cloister::TrainPage</name>
    <message>
        <source>Train</source>
        <translation>训练</translation>
    </message>
    <message>
        <source>Training needs a frozen snapshot of the data. Freeze one on the Data page.</source>
        <translation>训练需要冻结的数据快照。请在“数据”页冻结。</translation>
    </message>
    <message>
        <source>Go to Data</source>
        <translation>前往“数据”</translation>
    </message>
    <message>
        <source>&lt;p&gt;The six fields are enough for a first run; &lt;b&gt;More&lt;/b&gt; opens all of them. &lt;b&gt;Will it fit&lt;/b&gt; compares memory, disk and time with this machine.&lt;/p&gt;&lt;p&gt;Training goes on when this window is closed. &lt;b&gt;Stop&lt;/b&gt; writes a checkpoint first, and &lt;b&gt;Resume&lt;/b&gt; goes on from it with the same result as if it had never stopped.&lt;/p&gt;&lt;p&gt;In the chart: wheel to zoom, drag to move, double-click for the whole history, click a legend entry to hide its line. Tick runs in the list to lay them over each other.&lt;/p&gt;</source>
        <translation>&lt;p&gt;首次训练只需六个字段；&lt;b&gt;更多&lt;/b&gt;会展开全部设置。&lt;b&gt;能否在本机训练&lt;/b&gt;会比较内存、磁盘和时间。&lt;/p&gt;&lt;p&gt;关闭窗口后训练仍会继续。&lt;b&gt;停止&lt;/b&gt;会先保存检查点，&lt;b&gt;继续&lt;/b&gt;则从检查点接着训练，结果与从未中断相同。&lt;/p&gt;&lt;p&gt;图表操作：滚轮缩放，拖动平移，双击显示全部历史，点击图例可隐藏曲线。在列表中勾选训练可叠加比较。&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Image classifier</source>
        <translation>图像分类器</translation>
    </message>
    <message>
        <source>Evaluate this run</source>
        <translation>评估此训练</translation>
    </message>
    <message>
        <source>Start training</source>
        <translation>开始训练</translation>
    </message>
    <message>
        <source>step %1 of %2</source>
        <translation>第 %1 / %2 步</translation>
    </message>
    <message>
        <source>epoch %1</source>
        <translation>第 %1 轮</translation>
    </message>
    <message>
        <source>loss %1</source>
        <translation>损失 %1</translation>
    </message>
    <message>
        <source>validation AUC %1</source>
        <translation>验证 AUC %1</translation>
    </message>
    <message>
        <source>learning rate %1</source>
        <translation>学习率 %1</translation>
    </message>
    <message>
        <source>%1 images/s</source>
        <translation>%1 张/秒</translation>
    </message>
    <message>
        <source>Kind of model</source>
        <translation>模型类型</translation>
    </message>
    <message>
        <source>Start from weights</source>
        <translation>起始权重</translation>
    </message>
    <message>
        <source>None: train from scratch</source>
        <translation>无：从头训练</translation>
    </message>
    <message>
        <source>Weights file to start from</source>
        <translation>起始权重文件</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>随机种子</translation>
    </message>
    <message>
        <source>Processes</source>
        <translation>进程数</translation>
    </message>
    <message>
        <source>Number of processes</source>
        <translation>进程数</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>训练记录</translation>
    </message>
    <message>
        <source>Runs of this project</source>
        <translation>此项目的训练记录</translation>
    </message>
    <message>
        <source>Recipe</source>
        <translation>训练配方</translation>
    </message>
    <message>
        <source>Show or hide the recipe</source>
        <translation>显示或隐藏配方</translation>
    </message>
    <message>
        <source>Stop with checkpoint</source>
        <translation>保存检查点并停止</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Queue after the current run</source>
        <translation>排在当前训练之后</translation>
    </message>
    <message>
        <source>Working it out …</source>
        <translation>正在计算…</translation>
    </message>
    <message>
        <source>Snapshot %1, %2</source>
        <translation>快照 %1，%2</translation>
    </message>
    <message>
        <source>Take out of the queue</source>
        <translation>移出队列</translation>
    </message>
    <message>
        <source>Language model</source>
        <translation>语言模型</translation>
    </message>
    <message>
        <source>That of the base model</source>
        <translation>使用基础模型的分词器</translation>
    </message>
    <message>
        <source>validation loss %1</source>
        <translation>验证损失 %1</translation>
    </message>
    <message>
        <source>perplexity %1</source>
        <translation>困惑度 %1</translation>
    </message>
    <message>
        <source>%1 tokens/s</source>
        <translation>%1 词元/秒</translation>
    </message>
    <message>
        <source>Base model</source>
        <translation>基础模型</translation>
    </message>
    <message>
        <source>Base model to start from</source>
        <translation>训练所用的基础模型</translation>
    </message>
    <message>
        <source>Tokenizer</source>
        <translation>分词器</translation>
    </message>
    <message>
        <source>Tokenizer that cuts the texts</source>
        <translation>切分文本的分词器</translation>
    </message>
    <message>
        <source>None: train one on the Data page</source>
        <translation>无：请在“数据”页训练一个</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 / %2</translation>
    </message>
    <message>
        <source>Prepare the data</source>
        <translation>准备数据</translation>
    </message>
    <message>
        <source>Stopped as asked; no run was started.</source>
        <translation>已按要求停止；未启动运行。</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>正在启动…</translation>
    </message>
</context>
<context>
    <name>cloister::Transcript</name>
    <message>
        <source>You</source>
        <translation>您</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
</context>
<context>
    <name>cloister::TryPage</name>
    <message>
        <source>Try it</source>
        <translation>试用</translation>
    </message>
    <message>
        <source>The same words for the base model and for the tuned one.</source>
        <translation>用同样的话考一考基础模型和微调后的模型。</translation>
    </message>
    <message>
        <source>&lt;p&gt;Choose a base model on the left and what you made of it on the right: the best state of a run, or any model folder. &lt;b&gt;Continue a text&lt;/b&gt; lets both write on from your words; &lt;b&gt;Chat&lt;/b&gt; puts your question into the form that the model was trained with.&lt;/p&gt;&lt;p&gt;&lt;b&gt;Tokens per second&lt;/b&gt; is the speed of writing. The time to the first token is that of reading your text. While both models write at once they share the processor; tick &lt;b&gt;One after the other&lt;/b&gt; to compare their speeds.&lt;/p&gt;&lt;p&gt;A model writes what is likely, not what is true. What one answer shows is an impression; figures are on the Evaluate page.&lt;/p&gt;&lt;p&gt;Ctrl+Enter generates, Esc stops.&lt;/p&gt;</source>
        <translation>&lt;p&gt;左侧选择基础模型，右侧选择由它得到的模型：某次运行的最佳状态，或任意模型文件夹。&lt;b&gt;续写文本&lt;/b&gt;让两者接着您的文字往下写；&lt;b&gt;对话&lt;/b&gt;把您的问题写成模型训练时所用的格式。&lt;/p&gt;&lt;p&gt;&lt;b&gt;每秒词元数&lt;/b&gt;是写作的速度，首个词元的用时是读入文本的时间。两个模型同时写作时共用处理器；要比较速度，请勾选&lt;b&gt;依次回答&lt;/b&gt;。&lt;/p&gt;&lt;p&gt;模型写出的是可能的内容，不一定是真实的内容。一次回答只是印象，指标请看“评估”页。&lt;/p&gt;&lt;p&gt;Ctrl+Enter 生成，Esc 停止。&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Both models do not fit in memory together (%1 needed, %2 free): they answer one after the other.</source>
        <translation>内存装不下两个模型（需要 %1，可用 %2），因此依次回答。</translation>
    </message>
    <message>
        <source>Choose a model folder</source>
        <translation>选择模型文件夹</translation>
    </message>
    <message>
        <source>The report says:</source>
        <translation>报告写道：</translation>
    </message>
    <message>
        <source>What does the report say?</source>
        <translation>报告说了什么？</translation>
    </message>
    <message>
        <source>Writing …</source>
        <translation>正在写……</translation>
    </message>
    <message>
        <source>Ask</source>
        <translation>提问</translation>
    </message>
    <message>
        <source>Generate</source>
        <translation>生成</translation>
    </message>
    <message>
        <source>Choose a model first.</source>
        <translation>请先选择模型。</translation>
    </message>
    <message>
        <source>Continue a text</source>
        <translation>续写文本</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Ask something below: the answer appears here, word by word.</source>
        <translation>在下面提问，回答会逐词出现在这里。</translation>
    </message>
    <message>
        <source>Write a beginning below and press Generate: the model goes on from it here, word by word.</source>
        <translation>在下面写一个开头并按“生成”，模型会在这里逐词接着写。</translation>
    </message>
    <message>
        <source>Base</source>
        <translation>基础模型</translation>
    </message>
    <message>
        <source>Tuned</source>
        <translation>微调模型</translation>
    </message>
    <message>
        <source>Your question</source>
        <translation>您的问题</translation>
    </message>
    <message>
        <source>Beginning of the text</source>
        <translation>文本开头</translation>
    </message>
    <message>
        <source>For example: Summarise this finding in one sentence.</source>
        <translation>例如：用一句话概括这项所见。</translation>
    </message>
    <message>
        <source>For example: The examination shows</source>
        <translation>例如：检查显示</translation>
    </message>
    <message>
        <source>Ctrl+Enter generates, Esc stops</source>
        <translation>Ctrl+Enter 生成，Esc 停止</translation>
    </message>
    <message>
        <source>Instruction</source>
        <translation>指令</translation>
    </message>
    <message>
        <source>Instruction for the model</source>
        <translation>给模型的指令</translation>
    </message>
    <message>
        <source>How the model shall behave; may stay empty</source>
        <translation>模型应当如何作答，可以留空</translation>
    </message>
    <message>
        <source>New conversation</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Stop writing</source>
        <translation>停止写作</translation>
    </message>
    <message>
        <source>Choose the model that the adapter was made on</source>
        <translation>选择适配器所基于的模型</translation>
    </message>
    <message>
        <source>%1 is an adapter itself. Choose a folder with a whole model.</source>
        <translation>%1 本身是适配器。请选择含完整模型的文件夹。</translation>
    </message>
    <message>
        <source>The adapter does not fit the model %1: its layers have other names or shapes.</source>
        <translation>适配器与模型 %1 不相符：层的名称或形状不同。</translation>
    </message>
</context>
<context>
    <name>cloister::VerifyPage</name>
    <message>
        <source>Verify</source>
        <translation>验证</translation>
    </message>
    <message>
        <source>&lt;p&gt;Drop a bundle folder here. Every file is hashed and compared with the signed list, then the signature is checked. Nothing is sent anywhere.&lt;/p&gt;&lt;p&gt;Give the sender's public key (a .pem file you received another way) to know not only that nothing changed but also who signed.&lt;/p&gt;</source>
        <translation>&lt;p&gt;把签名包文件夹拖到这里。程序会计算每个文件的哈希并与签名清单比对，然后检查签名。不会向任何地方发送数据。&lt;/p&gt;&lt;p&gt;提供发送方的公钥（通过其他途径获得的 .pem 文件），不仅能确认内容未被改动，还能确认签名者是谁。&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Choose a bundle folder</source>
        <translation>选择签名包文件夹</translation>
    </message>
    <message>
        <source>Choose the sender's public key</source>
        <translation>选择发送方的公钥</translation>
    </message>
    <message>
        <source>Verifying %1 …</source>
        <translation>正在验证 %1…</translation>
    </message>
    <message>
        <source>✗  Do not use this bundle: it is not what was signed.</source>
        <translation>✗  请勿使用此签名包：内容与签名时不符。</translation>
    </message>
    <message>
        <source>✓  This bundle is whole and was signed by a key you trust.</source>
        <translation>✓  此签名包完整，由您信任的密钥签名。</translation>
    </message>
    <message>
        <source>!  This bundle is whole, but the signer is not known to you. Compare the fingerprint with the sender, or give their public key above.</source>
        <translation>!  此签名包完整，但签名者未知。请与发送方核对指纹，或在上方提供其公钥。</translation>
    </message>
    <message>
        <source>Folder: %1</source>
        <translation>文件夹：%1</translation>
    </message>
    <message>
        <source>Key fingerprint: %1</source>
        <translation>密钥指纹：%1</translation>
    </message>
    <message>
        <source>Algorithm: %1</source>
        <translation>算法：%1</translation>
    </message>
    <message>
        <source>Form of the signature</source>
        <translation>签名格式</translation>
    </message>
    <message>
        <source>Digest of the list</source>
        <translation>清单摘要</translation>
    </message>
    <message>
        <source>Signature</source>
        <translation>签名</translation>
    </message>
    <message>
        <source>Every file unchanged</source>
        <translation>所有文件未改动</translation>
    </message>
    <message>
        <source>Certificate chain</source>
        <translation>证书链</translation>
    </message>
    <message>
        <source>Validity period</source>
        <translation>有效期</translation>
    </message>
    <message>
        <source>Nothing left unsigned</source>
        <translation>没有未签名的文件</translation>
    </message>
    <message>
        <source>Signer known</source>
        <translation>签名者已知</translation>
    </message>
    <message>
        <source>✓ passed</source>
        <translation>✓ 通过</translation>
    </message>
    <message>
        <source>✗ failed</source>
        <translation>✗ 未通过</translation>
    </message>
    <message>
        <source>Checks</source>
        <translation>检查</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>检查项</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>Detail</source>
        <translation>说明</translation>
    </message>
    <message>
        <source>signed</source>
        <translation>已签名</translation>
    </message>
    <message>
        <source>ignored by the signature</source>
        <translation>签名时忽略</translation>
    </message>
    <message>
        <source>not signed</source>
        <translation>未签名</translation>
    </message>
    <message>
        <source>What is inside</source>
        <translation>包内文件</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Drop a bundle folder here</source>
        <translation>把签名包文件夹拖到这里</translation>
    </message>
    <message>
        <source>Sender's public key (optional)</source>
        <translation>发送方公钥（可选）</translation>
    </message>
    <message>
        <source>Sender's public key file</source>
        <translation>发送方公钥文件</translation>
    </message>
    <message>
        <source>Verify a bundle</source>
        <translation>验证签名包</translation>
    </message>
    <message>
        <source>!  The signer is not known here. Give the sender's public key above to verify this bundle.</source>
        <translation>!  本机不认识该签名者。请在上方提供发送方的公钥，再验证此签名包。</translation>
    </message>
    <message>
        <source>Signed folder: %1</source>
        <translation>已签名的文件夹：%1</translation>
    </message>
    <message>
        <source>Time of signing: %1</source>
        <translation>签名时间：%1</translation>
    </message>
    <message>
        <source>Contents of the bundle</source>
        <translation>签名包内容</translation>
    </message>
    <message>
        <source>Choose a folder…</source>
        <translation>选择文件夹…</translation>
    </message>
</context>
<context>
    <name>cloister::Viewer</name>
    <message>
        <source>Lung</source>
        <translation>肺窗</translation>
    </message>
    <message>
        <source>Soft tissue</source>
        <translation>软组织窗</translation>
    </message>
    <message>
        <source>Bone</source>
        <translation>骨窗</translation>
    </message>
    <message>
        <source>Brain</source>
        <translation>脑窗</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>图像</translation>
    </message>
    <message>
        <source>Drag sideways to change the window's width, up and down for its level. Double-click to reset. The wheel turns frames, with Ctrl it zooms. Space plays.</source>
        <translation>左右拖动调整窗宽，上下拖动调整窗位，双击复位。滚轮翻帧，按住 Ctrl 缩放，空格播放。</translation>
    </message>
    <message>
        <source>Level</source>
        <translation>窗位</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>窗宽</translation>
    </message>
    <message>
        <source>Window level</source>
        <translation>窗位</translation>
    </message>
    <message>
        <source>Window width</source>
        <translation>窗宽</translation>
    </message>
    <message>
        <source>Window presets</source>
        <translation>窗口预设</translation>
    </message>
    <message>
        <source>Fit the picture to the space</source>
        <translation>图像适应窗口</translation>
    </message>
    <message>
        <source>Frame</source>
        <translation>帧</translation>
    </message>
    <message>
        <source>Facts</source>
        <translation>信息</translation>
    </message>
    <message>
        <source>Header</source>
        <translation>文件头</translation>
    </message>
    <message>
        <source>Facts and header of the sample</source>
        <translation>样本信息和文件头</translation>
    </message>
    <message>
        <source>Select a sample to see it here.</source>
        <translation>选择一个样本即可在此查看。</translation>
    </message>
    <message>
        <source>Frame %1 of %2</source>
        <translation>第 %1 / %2 帧</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>正在读取…</translation>
    </message>
    <message>
        <source>As imported</source>
        <translation>导入时的窗口</translation>
    </message>
    <message>
        <source>File: %1 / %2</source>
        <translation>文件：%1 / %2</translation>
    </message>
    <message>
        <source>Whole range</source>
        <translation>整个范围</translation>
    </message>
    <message>
        <source>Pause (Space)</source>
        <translation>暂停（空格）</translation>
    </message>
    <message>
        <source>Play the frames (Space)</source>
        <translation>播放各帧（空格）</translation>
    </message>
    <message>
        <source>Label</source>
        <translation>标签</translation>
    </message>
    <message>
        <source>none</source>
        <translation>无</translation>
    </message>
    <message>
        <source>Patient</source>
        <translation>患者</translation>
    </message>
    <message>
        <source>Site</source>
        <translation>机构</translation>
    </message>
    <message>
        <source>Modality</source>
        <translation>检查类型</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>图像尺寸</translation>
    </message>
    <message>
        <source>%1 × %2 pixels, %3 bits</source>
        <translation>%1 × %2 像素，%3 位</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>键</translation>
    </message>
    <message>
        <source>Imported from</source>
        <translation>导入来源</translation>
    </message>
    <message>
        <source>File size</source>
        <translation>文件大小</translation>
    </message>
    <message>
        <source>SHA-256</source>
        <translation>SHA-256</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>警告</translation>
    </message>
    <message>
        <source>Excluded</source>
        <translation>已排除</translation>
    </message>
    <message>
        <source>left out of snapshots</source>
        <translation>不纳入快照</translation>
    </message>
    <message>
        <source>Facts of %1</source>
        <translation>%1 的信息</translation>
    </message>
</context>
<context>
    <name>cloister::WrittenPanel</name>
    <message>
        <source>Step %1</source>
        <translation>第 %1 步</translation>
    </message>
    <message>
        <source>What the model writes</source>
        <translation>模型写出的文字</translation>
    </message>
    <message>
        <source>What the model writes at each validation, the newest first</source>
        <translation>模型在每次验证时写出的文字，最新的在前</translation>
    </message>
</context>
</TS>
