// hive image push: images in the cluster's own registry.
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/image_bake.h"
#include "cli/images.h"
#include "cli/reach.h"

namespace hive::cli {
namespace {

int push(Context& context, const std::vector<std::string>& words) {
  const std::string& archive = words[0];
  std::error_code ignored;
  if (!std::filesystem::exists(archive, ignored))
    return context.fail(kExitNotFound, "there is no file " + archive + ". 'docker save -o " +
                                           archive + " IMAGE' makes one");
  const auto name = pick_cluster(context.globals);
  if (!name) return context.fail(name.error());
  const auto cluster = cloud::local::read_cluster(*name);
  if (!cluster) return context.fail(cluster.error());
  std::string reference = words[1];
  if (reference.starts_with(cluster->registry + "/"))
    reference.erase(0, cluster->registry.size() + 1);
  if (const auto pushed = push_archive(*cluster, archive, reference); !pushed)
    return context.fail(annotate(pushed.error(), "pushing " + reference).value());
  const auto digest = digest_in_registry(*cluster, reference);
  if (!digest) return context.fail(digest.error());
  context.line(cluster->registry + "/" + reference + "@" + *digest);
  return kExitOk;
}

}  // namespace

Command image_command() {
  Command push_command{.name = "push",
                       .summary = "Push an archive of 'docker save' to the cluster's registry",
                       .declare = [](Declare& declare) -> Action {
                         auto archive = std::make_shared<std::vector<std::string>>();
                         auto reference = std::make_shared<std::vector<std::string>>();
                         declare.one("ARCHIVE", archive.get(), "Archive, gzip allowed",
                                     ValueKind::kFile);
                         declare.one("NAME:TAG", reference.get(), "Name in the registry");
                         return [archive, reference](Context& context) {
                           return push(context, {archive->front(), reference->front()});
                         };
                       }};
  return {.name = "image",
          .summary = "Images in the cluster's registry, and of its machines",
          .children = {std::move(push_command), image_bake_command()}};
}

}  // namespace hive::cli
