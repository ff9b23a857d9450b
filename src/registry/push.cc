#include "registry/push.h"

#include <algorithm>
#include <string_view>

#include "base/json.h"
#include "registry/archive.h"

namespace hive::registry {
namespace {

constexpr const char* kManifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr const char* kConfig = "application/vnd.docker.container.image.v1+json";
constexpr const char* kPlainLayer = "application/vnd.docker.image.rootfs.diff.tar";
constexpr const char* kGzipLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip";
constexpr const char* kZstdLayer = "application/vnd.oci.image.layer.v1.tar+zstd";

constexpr std::size_t kMagicBytes = 4;

const char* layer_type(std::string_view begin) {
  if (begin.starts_with("\x1f\x8b")) return kGzipLayer;
  if (begin == "\x28\xb5\x2f\xfd") return kZstdLayer;
  return kPlainLayer;
}

Json descriptor(const char* type, const Blob& blob) {
  return {{"mediaType", type}, {"size", blob.size}, {"digest", blob.digest}};
}

BlobSource source_of(std::string text) {
  return [text = std::move(text), at = std::size_t{0}](char* buffer, std::size_t size) mutable {
    const std::size_t count = std::min(size, text.size() - at);
    text.copy(buffer, count, at);
    at += count;
    return Result<std::size_t>(count);
  };
}

// What was read ahead, then the rest.
BlobSource source_of(std::string begin, EntryReader& rest) {
  return [head = source_of(std::move(begin)), &rest](char* buffer,
                                                     std::size_t size) -> Result<std::size_t> {
    HIVE_ASSIGN(const std::size_t got, head(buffer, size));
    return got > 0 ? Result<std::size_t>(got) : rest.read(buffer, size);
  };
}

Result<Json> push_layer(Client& client, const std::filesystem::path& archive,
                        const std::string& entry, const std::string& diff_id,
                        const std::string& repository) {
  HIVE_ASSIGN(auto reader, EntryReader::open(archive, entry));
  std::string begin(kMagicBytes, '\0');
  HIVE_ASSIGN(const std::size_t got, reader.read(begin.data(), begin.size()));
  begin.resize(got);
  const char* type = layer_type(begin);
  // Only a plain layer's digest is known before it was read.
  if (type == kPlainLayer) {
    HIVE_ASSIGN(const auto there, client.find_blob(repository, diff_id));
    if (there) return descriptor(type, *there);
  }
  HIVE_ASSIGN(const Blob sent, client.upload_blob(repository, source_of(std::move(begin), reader)));
  return descriptor(type, sent);
}

}  // namespace

Result<std::string> push_archive(Client& client, const std::filesystem::path& archive,
                                 const model::ImageReference& reference) {
  HIVE_ASSIGN(const auto image, read_archive(archive));
  Json layers = Json::array();
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    HIVE_ASSIGN(Json layer,
                push_layer(client, archive, image.layers[i], image.diff_ids[i], reference.path));
    layers.push_back(std::move(layer));
  }
  HIVE_ASSIGN(const Blob config, client.upload_blob(reference.path, source_of(image.config)));
  const Json manifest{{"schemaVersion", 2},
                      {"mediaType", kManifest},
                      {"config", descriptor(kConfig, config)},
                      {"layers", std::move(layers)}};
  return client.put_manifest(reference, kManifest, manifest.dump());
}

}  // namespace hive::registry
