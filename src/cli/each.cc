#include "cli/each.h"

#include "cli/command.h"
#include "cli/context.h"

namespace hive::cli {

int for_each(Context& context, const std::vector<std::string>& names,
             const std::function<Status(engine::Engine&, const std::string&)>& act) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  int code = kExitOk;
  for (const auto& name : names) {
    if (const auto done = act(**engine, name); done) {
      context.line(name);
    } else {
      const int failed = context.fail(done.error());
      if (code == kExitOk) code = failed;
    }
  }
  return code;
}

int inspect_each(Context& context, const std::vector<std::string>& names,
                 const std::function<Result<Json>(engine::Engine&, const std::string&)>& read) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  int code = kExitOk;
  Json found = Json::array();
  std::vector<Error> faults;
  for (const auto& name : names) {
    auto thing = read(**engine, name);
    if (thing) {
      found.push_back(std::move(*thing));
    } else {
      faults.push_back(std::move(thing).error());
    }
  }
  context.line(found.dump(4));
  for (const auto& fault : faults) {
    const int failed = context.fail(fault);
    if (code == kExitOk) code = failed;
  }
  return code;
}

}  // namespace hive::cli
