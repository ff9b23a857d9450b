#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "engine/docker/auth.h"
#include "engine/docker/docker_engine.h"

namespace hive::engine::docker {
namespace {

// An archive read in pieces into a request's body.
class FileBody {
 public:
  explicit FileBody(const std::string& path)
      : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  FileBody(const FileBody&) = delete;
  FileBody& operator=(const FileBody&) = delete;
  ~FileBody() {
    if (fd_ >= 0) ::close(fd_);
  }
  // Puts the file into the request; this object must outlive the call.
  Status attach(net::Request& request) {
    struct stat info {};
    if (fd_ < 0 || ::fstat(fd_, &info) != 0)
      return fail(errno == EACCES ? Errc::kPermissionDenied : Errc::kNotFound,
                  fmt::format("opening archive {}: {}", path_, std::strerror(errno)));
    if (!S_ISREG(info.st_mode))
      return fail(Errc::kInvalidArgument, fmt::format("archive {} is not a file", path_));
    request.headers.emplace("content-type", "application/x-tar");
    request.headers.emplace("content-length", std::to_string(info.st_size));
    request.body_source = [this](char* out, std::size_t size) { return read(out, size); };
    return {};
  }

 private:
  Result<std::size_t> read(char* out, std::size_t size) {
    ssize_t got;
    do got = ::read(fd_, out, size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
      return fail(Errc::kUnavailable,
                  fmt::format("reading archive {}: {}", path_, std::strerror(errno)));
    return static_cast<std::size_t>(got);
  }
  std::string path_;
  int fd_;
};

Status no_object(const Json&) { return {}; }

PullProgress progress_from(const Json& object) {
  return PullProgress{json_string(object, "id"), json_string(object, "status"),
                      json_int(object, "progressDetail.current"),
                      json_int(object, "progressDetail.total")};
}

}  // namespace

ReferenceParts split_reference(std::string_view reference) {
  ReferenceParts parts;
  const auto at = reference.find('@');
  if (at != std::string_view::npos) {
    parts.digest = reference.substr(at + 1);
    reference = reference.substr(0, at);
  }
  const auto colon = reference.rfind(':');
  const auto slash = reference.rfind('/');
  const bool tagged =
      colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  parts.name = reference.substr(0, tagged ? colon : std::string_view::npos);
  if (tagged) parts.tag = reference.substr(colon + 1);
  return parts;
}

Status DockerEngine::progress(net::Request request, const OnProgress& on_object,
                              const std::stop_token& stop) {
  const Milliseconds deadline = connection_.options().image_deadline;
  const auto end = std::chrono::steady_clock::now() + deadline;
  request.deadline = deadline;
  const std::string what = request.method + " " + request.path.substr(0, request.path.find('?'));
  return connection_.objects(
      std::move(request), JsonSplitter::Shape::kSequence,
      [&](std::string_view text) -> Status {
        HIVE_ASSIGN(const Json object, parse_json(text, "the engine's progress of " + what));
        std::string error = json_string(object, "errorDetail.message");
        if (error.empty()) error = json_string(object, "error");
        if (!error.empty()) return fail(code_of_text(error, Errc::kFailedPrecondition), error);
        if (std::chrono::steady_clock::now() > end)
          return fail(Errc::kDeadlineExceeded,
                      fmt::format("{} took longer than {} ms", what, deadline.count()));
        return on_object(object);
      },
      stop, deadline);
}

Result<std::vector<Json>> DockerEngine::list_images(const Filters& filters) {
  return list("/images/json", filters);
}
Result<Json> DockerEngine::inspect_image(const std::string& reference) {
  return connection_.object(connection_.get("/images/" + path_escape(reference) + "/json"));
}

Status DockerEngine::pull_image(const std::string& reference, const RegistryAuth& auth,
                                const std::function<void(const PullProgress&)>& on_progress,
                                std::stop_token stop) {
  const ReferenceParts parts = split_reference(reference);
  // Without a tag the engine would pull every tag there is.
  const std::string tag =
      !parts.digest.empty() ? parts.digest : (parts.tag.empty() ? "latest" : parts.tag);
  auto call =
      connection_.post("/images/create", Query().add("fromImage", parts.name).add("tag", tag));
  if (!auth.empty()) call.headers.emplace("x-registry-auth", registry_auth_header(auth));
  auto pulled = progress(
      std::move(call),
      [&](const Json& object) -> Status {
        if (on_progress) on_progress(progress_from(object));
        return {};
      },
      stop);
  if (stop.stop_requested()) return fail(Errc::kCancelled, "pulling " + reference + " was cut off");
  if (!pulled) {
    Error error = std::move(pulled).error();
    // The engine answers a registry's refusal with 404 or 500 and says the rest in words.
    if (error.code == Errc::kNotFound || error.code == Errc::kUnavailable)
      error.code = code_of_text(error.message, error.code);
    return annotate(std::move(error), "pulling " + reference);
  }
  return {};
}

Status DockerEngine::push_image(const std::string& reference, const RegistryAuth& auth,
                                const std::function<void(const PullProgress&)>& on_progress) {
  const ReferenceParts parts = split_reference(reference);
  auto call = connection_.post("/images/" + path_escape(parts.name) + "/push",
                               Query().add("tag", parts.tag.empty() ? "latest" : parts.tag));
  call.headers.emplace("x-registry-auth", registry_auth_header(auth));  // required, even empty
  auto pushed = progress(std::move(call), [&](const Json& object) -> Status {
    if (on_progress) on_progress(progress_from(object));
    return {};
  });
  if (!pushed) return annotate(std::move(pushed).error(), "pushing " + reference);
  return {};
}

Status DockerEngine::tag_image(const std::string& source, const std::string& target) {
  const ReferenceParts parts = split_reference(target);
  HIVE_TRY(
      connection_.call(connection_.post("/images/" + path_escape(source) + "/tag",
                                        Query().add("repo", parts.name).add("tag", parts.tag))));
  return {};
}

Status DockerEngine::remove_image(const std::string& reference, bool force) {
  return remove("/images/" + path_escape(reference), Query().flag("force", force));
}

Status DockerEngine::load_image(const std::string& archive_path) {
  auto call = connection_.post("/images/load", Query().flag("quiet", true));
  FileBody body(archive_path);
  HIVE_TRY(body.attach(call));
  return progress(std::move(call), no_object);
}

Result<std::string> DockerEngine::import_image(const std::string& archive_path,
                                               const std::string& reference,
                                               const std::vector<std::string>& changes) {
  const ReferenceParts parts = split_reference(reference);
  Query query;
  query.add("fromSrc", "-").add("repo", parts.name).add("tag", parts.tag);
  for (const std::string& change : changes) query.add("changes", change);
  auto call = connection_.post("/images/create", query);
  FileBody body(archive_path);
  HIVE_TRY(body.attach(call));
  std::string id;
  HIVE_TRY(progress(std::move(call), [&](const Json& object) -> Status {
    const std::string status = json_string(object, "status");
    if (status.rfind("sha256:", 0) == 0) id = status;
    return {};
  }));
  if (id.empty()) return fail(Errc::kCorrupt, "the engine's answer to an import has no image id");
  return id;
}

Result<std::string> DockerEngine::build_image(
    const std::string& context_archive_path, const std::string& tag,
    const std::function<void(std::string_view)>& on_line) {
  auto call =
      connection_.post("/build", Query().add("t", tag).flag("rm", true).flag("forcerm", true));
  FileBody body(context_archive_path);
  HIVE_TRY(body.attach(call));
  std::string id;
  HIVE_TRY(progress(std::move(call), [&](const Json& object) -> Status {
    const std::string built = json_string(object, "aux.ID");
    if (!built.empty()) id = built;
    const std::string line = json_string(object, "stream");
    if (on_line && !line.empty()) on_line(line);
    return {};
  }));
  if (!id.empty() || tag.empty()) return id;
  HIVE_ASSIGN(const Json image, inspect_image(tag));
  return json_string(image, "Id");
}

}  // namespace hive::engine::docker
