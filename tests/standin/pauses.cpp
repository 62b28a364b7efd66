#include "pauses.h"

#include <utility>

namespace tokensync::standin {

void Pauses::Sleep(Milliseconds duration) {
  if (duration <= Milliseconds(0)) return;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, duration, [&] { return stopped_; });
}

void Pauses::Hold(Milliseconds longest) {
  std::unique_lock lock(mutex_);
  const std::uint64_t before = releases_;
  changed_.wait_for(lock, longest, [&] { return stopped_ || releases_ != before; });
}

void Pauses::Release() {
  const std::lock_guard lock(mutex_);
  ++releases_;
  changed_.notify_all();
}

void Pauses::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

LateTasks::LateTasks() : thread_([this] { Run(); }) {}

LateTasks::~LateTasks() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void LateTasks::Schedule(Milliseconds delay, std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  tasks_.emplace(std::chrono::steady_clock::now() + delay, std::move(task));
  changed_.notify_all();
}

void LateTasks::Drop() {
  std::unique_lock lock(mutex_);
  tasks_.clear();
  changed_.wait(lock, [&] { return !busy_; });
}

std::uint64_t LateTasks::pending() const {
  const std::lock_guard lock(mutex_);
  return tasks_.size() + (busy_ ? 1 : 0);
}

void LateTasks::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (tasks_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto due = tasks_.begin()->first;
    if (due > std::chrono::steady_clock::now()) {
      changed_.wait_until(lock, due);
      continue;
    }
    const auto task = std::move(tasks_.begin()->second);
    tasks_.erase(tasks_.begin());
    busy_ = true;
    lock.unlock();
    task();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace tokensync::standin
