// service history: the releases that a service has had.
#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/context.h"
#include "cli/listing.h"
#include "cli/look.h"
#include "cli/service.h"
#include "release/keeper.h"

namespace hive::cli {
namespace {

struct ReleasesArgs {
  ListOptions list;
  std::vector<std::string> words;
};

std::string age(std::int64_t unix_ms, const Clock& clock) {
  const auto now =
      std::chrono::duration_cast<Milliseconds>(clock.wall_now().time_since_epoch()).count();
  return format_age(std::chrono::seconds(std::max<std::int64_t>(0, now - unix_ms) / 1'000)) +
         " ago";
}

int print_releases(Context& context, const ReleasesArgs& args) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  const auto service = find_service(**engine, args.words.front());
  if (!service) return context.fail(service.error());
  const auto releases = release::read(**engine, service->id);
  if (!releases) return context.fail(releases.error());
  const auto* current = release::current(*releases);
  std::vector<Row> rows;
  for (auto it = releases->list.rbegin(); it != releases->list.rend(); ++it) {
    const bool is_current = current != nullptr && it->number == current->number;
    const std::string outcome =
        is_current ? "serves" : std::string(release::to_string(it->outcome));
    rows.push_back({std::to_string(it->number),
                    {std::to_string(it->number), image_for_people(it->image, args.list.no_trunc),
                     outcome, age(it->begun_unix_ms, context.clock), it->by,
                     it->why + (it->outcome == release::Outcome::kUndone ? ": " + it->reason : "")},
                    release::release_json(*it, is_current)});
  }
  return print_listing(context, args.list, {"RELEASE", "IMAGE", "OUTCOME", "BEGUN", "BY", "WHY"},
                       rows);
}

}  // namespace

Command service_history_command() {
  return {.name = "history",
          .summary = "The releases that a service has had, newest first",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<ReleasesArgs>();
            declare_list(declare, args->list, false);
            declare.one("SERVICE", &args->words, "Service", ValueKind::kService);
            return [args](Context& context) { return print_releases(context, *args); };
          }};
}

}  // namespace hive::cli
