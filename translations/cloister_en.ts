<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en">
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
        <source>Processor: %1, %n threads, %2 free</source>
        <translation>
            <numerusform>Processor: %1, %n thread, %2 free</numerusform>
            <numerusform>Processor: %1, %n threads, %2 free</numerusform>
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
    <name>cloister::SystemPage</name>
    <message numerus="yes">
        <source>%n port(s)</source>
        <translation>
            <numerusform>%n port</numerusform>
            <numerusform>%n ports</numerusform>
        </translation>
    </message>
</context>
</TS>
