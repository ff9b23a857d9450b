// An image with hive, the engine and HAProxy in it: machines boot from it without installing
// anything. A machine from a stock image installs them by its user data (bake_user_data()), removes
// what is its own and powers itself off; its disk becomes the image, and it ends.
//
// Each step follows from what there is, so that a run may be killed at any moment: the next one
// goes on. The machine bears the cluster's tag (`hive down` ends it too), the role kImageRole, and
// the image's name. The image bears the cluster's tag and stays when the cluster goes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/aws/client.h"
#include "cloud/aws/ec2.h"

namespace hive::cloud::aws {

inline constexpr const char* kImageRole = "image";          // of the tag hive:role
inline constexpr const char* kImageNameTag = "hive:image";  // the name of the image it becomes

struct BakeLook {
  std::vector<Image> images;      // the account's own of that name
  std::vector<Machine> machines;  // that are to become it and are not going
  bool launched = false;          // by this run
};

struct BakeStep {
  enum class Kind { kLaunch, kWaitForMachine, kMakeImage, kWaitForImage, kEndMachines, kDone };
  Kind kind = Kind::kDone;
  std::string subject;  // the machine, or the image
};

// kFailedPrecondition: it cannot go on, and why.
Result<BakeStep> next_bake_step(const BakeLook& look);

struct BakeRequest {
  std::string cluster;
  std::string name;  // of the image; 3 to 128 letters, digits and ()[]./-'@_ or spaces
  Image base;        // a stock Debian image
  std::string type;  // of the machine
  std::vector<Subnet> subnets;
  std::string package;  // as in user_data.h
  std::string package_sha256;
  bool keep_machine = false;                    // when it fails, to look into it
  Milliseconds deadline{1'800'000};             // of each wait
  std::function<void(const std::string&)> did;  // hears of each step
};

// The image's id. kDeadlineExceeded and kFailedPrecondition say what the machine printed last;
// kCancelled when a pause was ended.
Result<std::string> bake_image(Client& client, const BakeRequest& request);

}  // namespace hive::cloud::aws
