// The list of pages in rail order. Main thread, called once by main.
#pragma once

namespace cloister {
class MainWindow;
void addPages(MainWindow&);
}  // namespace cloister
