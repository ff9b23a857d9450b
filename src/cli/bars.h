// Progress of services: redrawn bars on a terminal, one plain line a change elsewhere.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"

namespace hive::cli {

class Context;
struct Progress;

// "[=========>          ] 1/3"
std::string bar(std::uint64_t done, std::uint64_t of, std::size_t width = 30);

class Bars {
 public:
  Bars(Context& context, bool quiet) : context_(context), quiet_(quiet) {}
  void show(const std::vector<Progress>& all, bool verifying, Milliseconds verify);
  void finish(const std::string& word);

 private:
  void draw(const std::vector<std::string>& lines);
  Context& context_;
  bool quiet_;
  std::size_t drawn_ = 0;
  std::vector<std::string> last_;
};

}  // namespace hive::cli
