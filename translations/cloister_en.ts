<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en">
<context>
    <name>Findings</name>
    <message numerus="yes">
        <source>%Ln file(s) could not be imported.</source>
        <translation>
            <numerusform>%Ln file could not be imported.</numerusform>
            <numerusform>%Ln files could not be imported.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) have the same bytes as another one and were left out.</source>
        <translation>
            <numerusform>%Ln file has the same bytes as another one and was left out.</numerusform>
            <numerusform>%Ln files have the same bytes as another one and were left out.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) were accepted with a repair or a warning.</source>
        <translation>
            <numerusform>%Ln file was accepted with a repair or a warning.</numerusform>
            <numerusform>%Ln files were accepted with a repair or a warning.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln image(s) have two different labels for the same bytes. Decide which one is right, or exclude them.</source>
        <translation>
            <numerusform>%Ln image has two different labels for the same bytes. Decide which one is right, or exclude it.</numerusform>
            <numerusform>%Ln images have two different labels for the same bytes. Decide which one is right, or exclude them.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln of %1 sample(s) have no label and will be left out.</source>
        <translation>
            <numerusform>%Ln of %1 samples has no label and will be left out.</numerusform>
            <numerusform>%Ln of %1 samples have no label and will be left out.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln of %1 sample(s) name no patient; each counts as a patient of its own. If one person has several images, training and test may share them.</source>
        <translation>
            <numerusform>%Ln of %1 samples names no patient; it counts as a patient of its own. If one person has several images, training and test may share them.</numerusform>
            <numerusform>%Ln of %1 samples name no patient; each counts as a patient of its own. If one person has several images, training and test may share them.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln patient(s) are in more than one of training, validation and test: the result would look better than it is.</source>
        <translation>
            <numerusform>%Ln patient is in more than one of training, validation and test: the result would look better than it is.</numerusform>
            <numerusform>%Ln patients are in more than one of training, validation and test: the result would look better than it is.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln pair(s) of images on different sides of the split look almost the same. Look at them before you trust the result.</source>
        <translation>
            <numerusform>%Ln pair of images on different sides of the split looks almost the same. Look at it before you trust the result.</numerusform>
            <numerusform>%Ln pairs of images on different sides of the split look almost the same. Look at them before you trust the result.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>More than %Ln pair(s) of images on different sides of the split look almost the same. Look at them before you trust the result.</source>
        <translation>
            <numerusform>More than %Ln pair of images on different sides of the split looks almost the same. Look at it before you trust the result.</numerusform>
            <numerusform>More than %Ln pairs of images on different sides of the split look almost the same. Look at them before you trust the result.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln record(s) could not be used and are left out.</source>
        <translation>
            <numerusform>%Ln record could not be used and is left out.</numerusform>
            <numerusform>%Ln records could not be used and are left out.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln text(s) are there more than once. Equal texts are always in the same part.</source>
        <translation>
            <numerusform>%Ln text is there more than once. Equal texts are always in the same part.</numerusform>
            <numerusform>%Ln texts are there more than once. Equal texts are always in the same part.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln text(s) of validation and test stand in another part as well, the same but for case, spaces and marks: the result would look better than it is.</source>
        <translation>
            <numerusform>%Ln text of validation and test stands in another part as well, the same but for case, spaces and marks: the result would look better than it is.</numerusform>
            <numerusform>%Ln texts of validation and test stand in another part as well, the same but for case, spaces and marks: the result would look better than it is.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln text(s) of validation and test stand in another part as well, almost the same: the result would look better than it is.</source>
        <translation>
            <numerusform>%Ln text of validation and test stands in another part as well, almost the same: the result would look better than it is.</numerusform>
            <numerusform>%Ln texts of validation and test stand in another part as well, almost the same: the result would look better than it is.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Words</name>
    <message numerus="yes">
        <source>%n second(s)</source>
        <translation>
            <numerusform>%n second</numerusform>
            <numerusform>%n seconds</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n minute(s)</source>
        <translation>
            <numerusform>%n minute</numerusform>
            <numerusform>%n minutes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n day(s)</source>
        <translation>
            <numerusform>%n day</numerusform>
            <numerusform>%n days</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln sample(s)</source>
        <translation>
            <numerusform>%Ln sample</numerusform>
            <numerusform>%Ln samples</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln image(s)</source>
        <translation>
            <numerusform>%Ln image</numerusform>
            <numerusform>%Ln images</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln patient(s)</source>
        <translation>
            <numerusform>%Ln patient</numerusform>
            <numerusform>%Ln patients</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln label(s)</source>
        <translation>
            <numerusform>%Ln label</numerusform>
            <numerusform>%Ln labels</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s)</source>
        <translation>
            <numerusform>%Ln file</numerusform>
            <numerusform>%Ln files</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln row(s)</source>
        <translation>
            <numerusform>%Ln row</numerusform>
            <numerusform>%Ln rows</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln conflict(s)</source>
        <translation>
            <numerusform>%Ln conflict</numerusform>
            <numerusform>%Ln conflicts</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln core(s)</source>
        <translation>
            <numerusform>%Ln core</numerusform>
            <numerusform>%Ln cores</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln thread(s)</source>
        <translation>
            <numerusform>%Ln thread</numerusform>
            <numerusform>%Ln threads</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln record(s)</source>
        <translation>
            <numerusform>%Ln record</numerusform>
            <numerusform>%Ln records</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln token(s)</source>
        <translation>
            <numerusform>%Ln token</numerusform>
            <numerusform>%Ln tokens</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>cloister::AnswerPanel</name>
    <message numerus="yes">
        <source>Reading %Ln token(s) …</source>
        <translation>
            <numerusform>Reading %Ln token …</numerusform>
            <numerusform>Reading %Ln tokens …</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>cloister::ChecksView</name>
    <message numerus="yes">
        <source>Show the %n sample(s)</source>
        <translation>
            <numerusform>Show the %n sample</numerusform>
            <numerusform>Show the %n samples</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>cloister::FitPanel</name>
    <message numerus="yes">
        <source>Processor: %1, %Ln thread(s), %2 of memory free</source>
        <translation>
            <numerusform>Processor: %1, %Ln thread, %2 of memory free</numerusform>
            <numerusform>Processor: %1, %Ln threads, %2 of memory free</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>cloister::FreezeSheet</name>
    <message numerus="yes">
        <source>%Ln group(s), each on one side only</source>
        <translation>
            <numerusform>%Ln group, each on one side only</numerusform>
            <numerusform>%Ln groups, each on one side only</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>cloister::MainWindow</name>
    <message numerus="yes">
        <source>%n run(s) active</source>
        <translation>
            <numerusform>%n run active</numerusform>
            <numerusform>%n runs active</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>cloister::SummaryBar</name>
    <message numerus="yes">
        <source>%Ln duplicate(s)</source>
        <translation>
            <numerusform>%Ln duplicate</numerusform>
            <numerusform>%Ln duplicates</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>cloister::SystemPage</name>
    <message numerus="yes">
        <source>%n port(s)</source>
        <translation>
            <numerusform>%n port</numerusform>
            <numerusform>%n ports</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Can train: %n card(s) with CUDA</source>
        <translation>
            <numerusform>Can train: %n card with CUDA</numerusform>
            <numerusform>Can train: %n cards with CUDA</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>cloister::TextList</name>
    <message numerus="yes">
        <source>%Ln record(s) not usable</source>
        <translation>
            <numerusform>%Ln record not usable</numerusform>
            <numerusform>%Ln records not usable</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>cloister::TokenizerView</name>
    <message numerus="yes">
        <source>%Ln character(s)</source>
        <translation>
            <numerusform>%Ln character</numerusform>
            <numerusform>%Ln characters</numerusform>
        </translation>
    </message>
</context>
</TS>
