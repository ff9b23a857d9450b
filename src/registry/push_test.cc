#include "registry/push.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <mutex>

#include "base/json.h"
#include "net/testing/scripted_server.h"
#include "registry/archive.h"

namespace hive::registry {
namespace {

using net::testing::answer;
using net::testing::Reply;
using net::testing::ScriptedRequest;
using net::testing::ScriptedServer;

namespace fs = std::filesystem;

constexpr const char* kPlainDigest =  // of "plain"
    "sha256:a116c9ed46d6207734a43317d30fd88f52ac8634c37d904bbf4e41d865f90475";

class ArchiveFile {
 public:
  ArchiveFile() {
    char name[] = "/tmp/hive-archive-XXXXXX";
    directory_ = ::mkdtemp(name);
    writer_ = archive_write_new();
    archive_write_set_format_gnutar(writer_);
    archive_write_open_filename(writer_, path().c_str());
  }
  ~ArchiveFile() {
    close();
    fs::remove_all(directory_);
  }
  fs::path path() const { return directory_ / "image.tar"; }
  void add(const std::string& name, const std::string& text) { put(name, text, ""); }
  void link(const std::string& name, const std::string& target) { put(name, "", target); }
  void close() {
    if (writer_ != nullptr) archive_write_free(writer_);
    writer_ = nullptr;
  }

 private:
  void put(const std::string& name, const std::string& text, const std::string& target) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                              archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_filetype(entry.get(), target.empty() ? AE_IFREG : AE_IFLNK);
    if (!target.empty()) archive_entry_set_symlink(entry.get(), target.c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(text.size()));
    archive_write_header(writer_, entry.get());
    archive_write_data(writer_, text.data(), text.size());
  }
  fs::path directory_;
  archive* writer_ = nullptr;
};

const std::string kGzip = "\x1f\x8b\x08 whatever";

// A plain layer, a compressed one, and a link to the plain one, as older docker save writes it.
void fill(ArchiveFile& file) {
  file.add("a/layer.tar", "plain");
  file.add("b/layer.tar", kGzip);
  file.link("c/layer.tar", "../a/layer.tar");
  const std::string id = kPlainDigest;
  file.add("c.json", Json{{"rootfs", {{"diff_ids", {id, "sha256:unpacked", id}}}}}.dump());
  file.add("manifest.json",
           Json{{{"Config", "c.json"}, {"Layers", {"a/layer.tar", "b/layer.tar", "c/layer.tar"}}}}
               .dump());
  file.close();
}

// A registry that checks what it is sent as the specification asks, and forgets nothing.
class FakeRegistry {
 public:
  Reply operator()(const ScriptedRequest& request) {
    const std::lock_guard lock(mutex);
    const std::string uploads = "/v2/app/blobs/uploads/";
    if (request.headers.count("authorization") == 0)
      return answer(401, "", "WWW-Authenticate: Basic realm=\"r\"\r\n");
    if (request.method == "HEAD")
      return blobs.count(request.path.substr(14)) == 0
                 ? answer(404, "")
                 : Reply{{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"}};
    if (request.method == "POST" && request.path == uploads)
      return answer(202, "", "Location: http://registry.test" + uploads + "u?state=1\r\n");
    if (request.method == "PATCH") {
      pending = request.body;
      return answer(refuse_layers ? 507 : 202, "", "Location: " + uploads + "u?state=2\r\n");
    }
    if (request.path.starts_with(uploads)) {
      const auto at = request.path.find("state=2&digest=sha256%3A");
      if (at == std::string::npos) return answer(400, "");
      blobs["sha256:" + request.path.substr(at + 24)] = pending;
      return answer(201, "");
    }
    manifest = request.body;
    manifest_path = request.path;
    return answer(201, "", "Docker-Content-Digest: sha256:m\r\n");
  }
  std::mutex mutex;
  std::map<std::string, std::string> blobs;  // by digest
  std::string pending, manifest, manifest_path;
  bool refuse_layers = false;
};

Result<std::string> push_to(FakeRegistry& registry, const fs::path& archive, int* requests) {
  ScriptedServer server(ScriptedServer::Kind::kTcp,
                        [&](const ScriptedRequest& request) { return registry(request); });
  Client client("127.0.0.1:" + std::to_string(server.port()), {.deadline = Milliseconds(2'000)},
                Credentials{"me", "right", ""});
  auto pushed = push_archive(client, archive, model::parse_image_reference("x.y/app:1").value());
  if (requests != nullptr) *requests = static_cast<int>(server.requests().size());
  return pushed;
}

TEST(Push, LayersAsTheyAreAndOnce) {
  ArchiveFile file;
  fill(file);
  FakeRegistry registry;
  int requests = 0;
  EXPECT_EQ(push_to(registry, file.path(), &requests).value_or("none"), "sha256:m");
  EXPECT_EQ(registry.blobs.at(kPlainDigest), "plain");
  EXPECT_EQ(registry.blobs.size(), 3u);  // two layers and the configuration
  EXPECT_EQ(registry.manifest_path, "/v2/app/manifests/1");
  const Json manifest = Json::parse(registry.manifest);
  ASSERT_EQ(manifest["layers"].size(), 3u);
  EXPECT_EQ(manifest["layers"][0], manifest["layers"][2]);
  EXPECT_EQ(manifest["layers"][0]["size"], 5);
  EXPECT_EQ(manifest["layers"][0]["mediaType"], "application/vnd.docker.image.rootfs.diff.tar");
  EXPECT_EQ(manifest["layers"][1]["mediaType"],
            "application/vnd.docker.image.rootfs.diff.tar.gzip");
  EXPECT_EQ(registry.blobs.at(manifest["layers"][1]["digest"]), kGzip);
  EXPECT_EQ(registry.blobs.count(manifest["config"]["digest"]), 1u);
  // Refused, asked again; three uploads of three requests; two looks for the plain layer; manifest.
  EXPECT_EQ(requests, 1 + 2 + 3 * 3 + 1);
}

TEST(Push, ARegistryThatIsFull) {
  ArchiveFile file;
  fill(file);
  FakeRegistry registry;
  registry.refuse_layers = true;
  const auto pushed = push_to(registry, file.path(), nullptr);
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code, Errc::kUnavailable);
  EXPECT_TRUE(registry.manifest.empty());
}

TEST(Archive, WhatIsNone) {
  const auto code = [](const auto& write) {
    ArchiveFile file;
    write(file);
    file.close();
    return read_archive(file.path()).error().code;
  };
  EXPECT_EQ(code([](auto& file) { file.add("other", "x"); }), Errc::kInvalidArgument);
  EXPECT_EQ(code([](auto& file) { file.add("manifest.json", "[]"); }), Errc::kInvalidArgument);
  EXPECT_EQ(code([](auto& file) { file.add("manifest.json", "{"); }), Errc::kCorrupt);
  EXPECT_EQ(code([](auto& file) {
              file.add("manifest.json", R"([{"Config":"c","Layers":["a"]}])");
              file.add("c", R"({"rootfs":{"diff_ids":[]}})");
            }),
            Errc::kCorrupt);
  EXPECT_EQ(code([](auto& file) { file.link("manifest.json", "manifest.json"); }), Errc::kCorrupt);
  EXPECT_EQ(read_archive("/nonexistent/image.tar").error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace hive::registry
