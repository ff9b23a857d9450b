#include "cli/image_bake.h"

#include <algorithm>
#include <cctype>
#include <memory>

#include "cli/aws_session.h"
#include "cli/compose_input.h"
#include "cli/context.h"
#include "cloud/aws/image_bake.h"
#include "cloud/aws/observe.h"

namespace hive::cli {
namespace {

namespace aws = cloud::aws;

constexpr std::size_t kShaShown = 8;
constexpr std::size_t kShortestName = 3;
constexpr std::size_t kLongestName = 128;

struct BakeArgs {
  std::vector<std::string> files;
  std::optional<std::string> name;
  std::optional<std::string> base;
  std::optional<std::string> base_owner;
  bool keep = false;
};

// Told apart by all that it is made from.
std::string default_name(const aws::Settings& settings, const aws::Image& base) {
  const std::string out = std::string("hive-") + HIVE_VERSION + "-" +
                          settings.package_sha256.substr(0, kShaShown) + "-" + base.name;
  return out.substr(0, kLongestName);
}

Status check_name(const std::string& name) {
  const auto allowed = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("()[] ./-'@_").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (name.size() >= kShortestName && name.size() <= kLongestName &&
      std::all_of(name.begin(), name.end(), allowed))
    return {};
  return fail(Errc::kInvalidArgument,
              "an image cannot be called '" + name +
                  "': AWS takes 3 to 128 letters, digits, spaces and ()[]./-'@_");
}

Result<std::string> bake(Context& context, const config::Spec& spec, const BakeArgs& args) {
  if (args.name) HIVE_TRY(check_name(*args.name));
  AwsSession session(context, spec);
  HIVE_TRY(session.open());
  aws::Settings settings = session.settings();
  if (settings.package.empty())
    return fail(Errc::kInvalidArgument,
                "x-hive.aws.package is not set: the image is to have hive's Debian package in it. "
                "'./dev package' makes it; put it where machines can fetch it by https");
  const config::Aws stock;
  settings.image = args.base.value_or(stock.image);
  settings.image_owner = args.base_owner.value_or(stock.image_owner);
  HIVE_ASSIGN(const auto place, aws::find_place(session.client(), settings));
  aws::BakeRequest request{.cluster = settings.cluster,
                           .name = args.name.value_or(default_name(settings, place.image)),
                           .base = place.image,
                           .type = settings.manager_type,
                           .subnets = place.subnets,
                           .package = settings.package,
                           .package_sha256 = settings.package_sha256,
                           .keep_machine = args.keep,
                           .did = [&](const std::string& what) { context.note("hive: " + what); }};
  HIVE_TRY(check_name(request.name));
  context.note("hive: image " + request.name + " in " + session.where());
  return aws::bake_image(session.client(), request);
}

int run_bake(Context& context, const BakeArgs& args) {
  const auto spec = load_compose(context, args.files, true);
  if (!spec) return kExitRefused;
  if (spec->cluster.cloud != "aws")
    return context.fail(
        kExitRefused, "images of machines are AWS's: the file says cloud: " + spec->cluster.cloud);
  const auto id = bake(context, *spec, args);
  if (!id) return context.fail_wait(id.error());
  context.line(*id);
  context.note("hive: set x-hive.aws.image to " + *id + "; machines that run are left as they are");
  return kExitOk;
}

}  // namespace

Command image_bake_command() {
  return {.name = "bake",
          .summary = "Make an AMI with hive in it, and print its id",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<BakeArgs>();
            declare.list("-f,--file", "FILE", &args->files, "Compose file with cloud: aws",
                         ValueKind::kFile);
            declare.text(
                "--name", "NAME", &args->name,
                "Name of the image (default: of hive's version, the package and the base)");
            declare.text("--base", "IMAGE", &args->base,
                         "Stock image, by id or name pattern (default: Debian 12's newest)");
            declare.text("--base-owner", "ACCOUNT", &args->base_owner,
                         "Whose the stock image is (default: Debian's account)");
            declare.flag("--keep", &args->keep, "Keep the machine when it fails");
            return [args](Context& context) { return run_bake(context, *args); };
          }};
}

}  // namespace hive::cli
