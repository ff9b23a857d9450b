#include "cli/bars.h"

#include <algorithm>

#include "cli/context.h"
#include "cli/converge.h"

namespace hive::cli {

std::string bar(std::uint64_t done, std::uint64_t of, std::size_t width) {
  const std::size_t filled =
      of == 0 ? width : std::min<std::size_t>(width, static_cast<std::size_t>(done * width / of));
  std::string text = "[" + std::string(filled, '=');
  if (filled < width) text += ">" + std::string(width - filled - 1, ' ');
  return text + "] " + std::to_string(done) + "/" + std::to_string(of);
}

void Bars::show(const std::vector<Progress>& all, bool verifying, Milliseconds verify) {
  if (quiet_) return;
  std::vector<std::string> lines;
  std::uint64_t running = 0;
  std::uint64_t wanted = 0;
  for (const auto& progress : all) {
    running += progress.running;
    wanted += progress.wanted;
    std::string line = progress.service + ": " + std::to_string(progress.running) + " out of " +
                       std::to_string(progress.wanted) + " tasks";
    if (context_.out_is_terminal)
      line = progress.service + " " + bar(progress.running, progress.wanted);
    if (progress.running != progress.wanted && !progress.trouble.empty())
      line += "  (" + progress.trouble + ")";
    lines.push_back(std::move(line));
  }
  if (context_.out_is_terminal)
    lines.insert(lines.begin(), "overall progress: " + std::to_string(running) + " out of " +
                                    std::to_string(wanted) + " tasks");
  if (verifying && verify.count() > 0)
    lines.push_back("verify: waiting " + std::to_string((verify.count() + 999) / 1000) +
                    " seconds to see that tasks are stable");
  draw(lines);
}

void Bars::draw(const std::vector<std::string>& lines) {
  if (context_.out_is_terminal) {
    std::string text = drawn_ > 0 ? "\x1b[" + std::to_string(drawn_) + "A\x1b[J" : "";
    for (const auto& line : lines) text += line + "\n";
    context_.print(text);
    drawn_ = lines.size();
    return;
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    bool known = false;
    for (const auto& old : last_) known = known || old == lines[i];
    if (!known) context_.line(lines[i]);
  }
  last_ = lines;
}

void Bars::finish(const std::string& word) {
  if (!quiet_) context_.line(word);
}

}  // namespace hive::cli
