#include "cli/aws_stack.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "os/file.h"

namespace hive::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AwsStackTest : public ::testing::Test {
 protected:
  AwsStackTest() {
    std::string pattern = ::testing::TempDir() + "stack-XXXXXX";
    directory = ::mkdtemp(pattern.data());
  }
  ~AwsStackTest() override { std::filesystem::remove_all(directory); }
  void write(const std::string& name, const std::string& content) const {
    ASSERT_TRUE(os::write_file_atomically(directory / name, content));
  }
  config::Spec load(const std::filesystem::path& file) const {
    auto loaded = config::load_paths({file.string()}, {});
    EXPECT_TRUE(loaded) << (loaded ? "" : config::render(loaded.error()));
    return loaded ? std::move(loaded->spec) : config::Spec();
  }
  std::filesystem::path directory;
};

TEST_F(AwsStackTest, ReadElsewhereItIsTheSameStack) {
  const std::string binary("\0\xff\n", 3);
  write("key", binary);
  write("web.conf", "listen");
  write("hive.yml",
        "version: '3.8'\n"
        "x-hive: {name: shop, cloud: aws, aws: {profile: mine}}\n"
        "services:\n  web:\n    image: web:1\n    configs: [conf]\n    secrets: [key]\n"
        "configs: {conf: {file: ./web.conf}}\n"
        "secrets: {key: {file: ./key}}\n");
  const auto files = stack_files(load(directory / "hive.yml"), "eu-central-1");
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ(files->size(), 3U);
  EXPECT_THAT(files->at(kStackFile), Not(HasSubstr(directory.string())));
  const auto there = directory / "manager";
  for (const auto& [name, content] : *files) {
    ASSERT_TRUE(os::make_directories((there / name).parent_path()));
    ASSERT_TRUE(os::write_file_atomically(there / name, content));
  }
  const auto again = load(there / kStackFile);
  EXPECT_EQ(again.services.at("web").image, "web:1");
  EXPECT_EQ(again.cluster.cloud, "aws");
  EXPECT_EQ(again.cluster.aws.region, "eu-central-1");
  EXPECT_EQ(again.cluster.aws.profile, "") << "the operator's";
  EXPECT_EQ(*os::read_file(again.secrets.at("key").file), binary);
  EXPECT_EQ(*os::read_file(again.configs.at("conf").file), "listen");
}

TEST_F(AwsStackTest, AMissingFileIsNamed) {
  write("hive.yml",
        "version: '3.8'\nx-hive: {name: shop, cloud: aws}\nservices:\n  web: {image: web:1, "
        "secrets: [key]}\nsecrets: {key: {file: ./missing}}\n");
  const auto files = stack_files(load(directory / "hive.yml"), "eu-central-1");
  ASSERT_FALSE(files);
  EXPECT_THAT(files.error().message, HasSubstr("missing"));
}

}  // namespace
}  // namespace hive::cli
