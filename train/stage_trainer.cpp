#include "train/stage_trainer.h"

#include <ATen/Context.h>
#include <fmt/format.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/options.h"
#include "base/progress.h"
#include "models/torch_tensors.h"
#include "train/interrupt.h"
#include "train/pieces.h"

namespace ernn {

namespace {

std::map<std::string, torch::Tensor> copy_parameters(const AcousticModel& model) {
  std::map<std::string, torch::Tensor> copy;
  for (const auto& parameter : model->named_parameters())
    copy[parameter.key()] = parameter.value().detach().clone();
  return copy;
}

void assign_parameters(const AcousticModel& model,
                       const std::map<std::string, torch::Tensor>& values,
                       const std::string& file) {
  const torch::NoGradGuard no_grad;
  for (auto& parameter : model->named_parameters()) {
    const auto found = values.find(parameter.key());
    if (found == values.end() || found->second.sizes() != parameter.value().sizes()) {
      throw DataError(
          fmt::format("{}: tensor '{}' is missing or has another shape than the model's", file,
                      parameter.key()));
    }
    parameter.value().copy_(found->second);
  }
}

/// The first process draws what a process of its own would draw, the others have a stream each.
std::uint64_t random_seed(std::int64_t seed, int rank) {
  return static_cast<std::uint64_t>(seed) + 0x9e3779b97f4a7c15U * static_cast<std::uint64_t>(rank);
}

std::string random_name(TrainingDevice device, int rank) {
  const std::string name = name_of(device);
  return rank == 0 ? name : fmt::format("{}.{}", name, rank);
}

torch::Device torch_device(TrainingDevice device) {
  return device == TrainingDevice::cuda ? torch::Device(torch::kCUDA, 0)
                                        : torch::Device(torch::kCPU);
}

/// Where dropout and noise of a model on `device` come from.
at::Generator random_generator(torch::Device device) {
  return at::globalContext().defaultGenerator(device);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Steps of each batch. All processes of a group need the same, so its longest utterance counts,
/// which is the first, whoever has it.
std::vector<long long> pieces_of(const std::vector<std::vector<std::size_t>>& plan,
                                 const UtteranceSet& utterances, int label_delay,
                                 long long truncate) {
  std::vector<long long> pieces;
  for (const auto& batch : plan) {
    pieces.push_back(piece_count(utterances[batch.front()].frames + label_delay, truncate));
  }
  return pieces;
}

long long planned_steps(const StageOptions& stage, const std::vector<long long>& pieces) {
  const long long steps = stage.epochs * std::accumulate(pieces.begin(), pieces.end(), 0LL);
  return stage.max_steps > 0 ? std::min(stage.max_steps, steps) : steps;
}

}  // namespace

StageTrainer::StageTrainer(StageInputs inputs, const TrainingData& data, const ProcessGroup& group)
    : inputs_(std::move(inputs)),
      data_(data),
      group_(group),
      method_(make_stage_method(inputs_.stage)),
      plan_(plan_batches(data.train, inputs_.stage.batch)),
      pieces_(pieces_of(plan_, data.train, inputs_.context.label_delay, inputs_.stage.truncate)),
      total_steps_(planned_steps(inputs_.stage, pieces_)),
      schedule_(inputs_.stage.schedule, inputs_.stage.optimiser.learning_rate, total_steps_) {
  torch::manual_seed(random_seed(inputs_.seed, group_.rank()));
  const ModelOptions network = method_->network(inputs_.start_options);
  if (inputs_.start.is_empty()) {
    model_ = AcousticModel(network);
    model_->initialise(static_cast<std::uint64_t>(inputs_.seed));
  } else {
    model_ = convert_blocks(inputs_.start, network);
  }
  const torch::Device device = torch_device(inputs_.stage.device);
  model_->to(device);
  if (!inputs_.teacher.is_empty()) {
    inputs_.teacher->to(device);
    inputs_.teacher->eval();
  }
  model_->train();
  parameters_ = model_->parameters();
  optimiser_ = std::make_unique<Optimiser>(inputs_.stage.optimiser, parameters_);
  if (!group_.is_alone()) gradient_sum_ = std::make_unique<GradientSum>(parameters_, group_);
  method_->prepare(model_, inputs_.start_options, total_steps_);
  method_->calibrate(data_.train);
  if (inputs_.stage.average > 0 && method_->may_be_averaged())
    average_ = std::make_unique<ParameterAverage>(model_, inputs_.stage.average);
  position_.total_steps = inputs_.start_steps;
}

AcousticModel StageTrainer::run() {
  if (std::filesystem::exists(inputs_.checkpoint)) load_checkpoint();
  if (group_.is_first())
    metrics_ = std::make_unique<MetricsFile>(inputs_.metrics, inputs_.stage.name, position_.epoch);
  last_checkpoint_ = std::chrono::steady_clock::now();
  while (!done()) {
    run_epoch();
    end_of_epoch();
  }
  if (method_->keeps_best() && !best_.empty()) {
    assign_parameters(model_, best_, inputs_.checkpoint.string());
  } else if (average_) {
    average_->swap();
  }
  return method_->deployable(model_);
}

bool StageTrainer::done() const {
  const StageOptions& stage = inputs_.stage;
  // Interrupted after its last step, an epoch still has its end before it.
  if (position_.batch > 0) return false;
  return position_.epoch >= stage.epochs || schedule_.state().stopped ||
         (stage.max_steps > 0 && position_.step >= stage.max_steps) || method_->converged();
}

void StageTrainer::run_epoch() {
  epoch_start_ = std::chrono::steady_clock::now();
  const StageOptions& stage = inputs_.stage;
  const int number = position_.epoch + 1;
  const auto order =
      batch_order(plan_.size(), static_cast<std::uint64_t>(inputs_.seed), position_.epoch);
  BatchQueue batches = remaining_batches(order);
  Progress progress(fmt::format("{} {}/{}", stage.name, number, stage.epochs),
                    static_cast<long long>(plan_.size()), inputs_.quiet);
  while (position_.batch < static_cast<long long>(plan_.size()) && steps_left()) {
    const double waited_before = batches.waited_seconds();
    const Batch batch = batches.next();
    position_.waited += batches.waited_seconds() - waited_before;
    const auto planned = order[static_cast<std::size_t>(position_.batch)];
    const StepTotals step = run_batch(batch, pieces_[planned]);
    progress.update(
        position_.batch,
        fmt::format("loss {:.3f}", position_.loss_sum / static_cast<double>(position_.loss_count)));
    if (step.stop) {
      save_checkpoint();
      progress.finish();
      throw Error(fmt::format("interrupted in stage {}, epoch {}, step {}; the checkpoint is "
                              "written, --resume goes on from here",
                              stage.name, number, position_.step),
                  kInterrupted);
    }
    if (step.checkpoint) save_checkpoint();
  }
}

BatchQueue StageTrainer::remaining_batches(const std::vector<std::size_t>& order) const {
  const auto first = static_cast<std::size_t>(position_.batch);
  const auto build = [this, order, first](std::size_t i) {
    return make_batch(data_.train, share_of(plan_[order[first + i]], group_.rank(), group_.size()),
                      inputs_.context.label_delay);
  };
  return {order.size() - first, build, kBatchesAhead};
}

bool StageTrainer::steps_left() const {
  return inputs_.stage.max_steps == 0 || position_.step < inputs_.stage.max_steps;
}

StepTotals StageTrainer::run_batch(const Batch& batch, long long pieces) {
  const long long frames = inputs_.stage.truncate;
  StepTotals all;
  CarriedStates states;
  for (long long i = 0; i < pieces && steps_left(); ++i) {
    const StepTotals step = frames == 0 ? run_step(batch, nullptr)
                                        : run_step(piece_of(batch, i * frames, frames), &states);
    all.stop = all.stop || step.stop;
    all.checkpoint = all.checkpoint || step.checkpoint;
  }
  ++position_.batch;
  return all;
}

StepTotals StageTrainer::run_step(const Batch& batch, CarriedStates* states) {
  const double rate = schedule_.learning_rate(position_.step);
  const StepTotals totals = compute_gradients(batch, states);
  const double norm = clip_gradients(parameters_, inputs_.stage.clip_norm);
  if (!std::isfinite(totals.loss) || !std::isfinite(norm))
    stop_for_divergence(position_.step + 1,
                        fmt::format("the loss is {} and the gradient norm {} at learning rate {}",
                                    totals.loss, norm, rate));
  method_->before_step();
  optimiser_->step(rate);
  method_->after_step(rate);
  if (average_) average_->update();
  position_.loss_sum += totals.loss;
  position_.loss_count += totals.count;
  ++position_.step;
  ++position_.total_steps;
  return totals;
}

StepTotals StageTrainer::compute_gradients(const Batch& batch, CarriedStates* states) {
  const StageOptions& stage = inputs_.stage;
  StepTotals totals;
  optimiser_->zero_grad();
  if (!batch.utterances.empty()) {
    torch::Tensor features = batch.features.to(model_->device());
    if (stage.feature_noise > 0)
      features = features + stage.feature_noise * torch::randn_like(features);
    const torch::Tensor logits =
        model_->forward(features, batch.lengths, states == nullptr ? nullptr : &states->network);
    const LossSum loss = stage_loss(logits, features, batch, states);
    (group_.is_alone() ? loss.mean() : loss.sum).backward();
    totals.loss = loss.sum.item<double>();
    totals.count = loss.count;
  }
  totals.stop = inputs_.stop();
  totals.checkpoint = group_.is_first() && inputs_.checkpoint_seconds > 0 &&
                      seconds_since(last_checkpoint_) >= inputs_.checkpoint_seconds;
  return group_.is_alone() ? totals : gradient_sum_->reduce(totals);
}

LossSum StageTrainer::stage_loss(const torch::Tensor& logits, const torch::Tensor& features,
                                 const Batch& batch, CarriedStates* states) {
  const StageOptions& stage = inputs_.stage;
  LossSum loss = batch_loss(logits, batch, inputs_.context.criterion, stage.label_smoothing);
  if (inputs_.teacher.is_empty()) return loss;
  torch::Tensor taught;
  {
    const torch::NoGradGuard no_grad;
    taught = inputs_.teacher->forward(features, batch.lengths,
                                      states == nullptr ? nullptr : &states->teacher);
  }
  const LossSum lesson = distillation_loss(logits, taught, batch, stage.distillation.temperature);
  loss.sum = torch::lerp(loss.sum, lesson.sum, stage.distillation.weight);
  return loss;
}

void StageTrainer::require_finite_parameters() const {
  for (const auto& parameter : model_->named_parameters()) {
    if (parameter.value().isfinite().all().item<bool>()) continue;
    stop_for_divergence(position_.step,
                        fmt::format("{} has values that are not finite at learning rate {}",
                                    parameter.key(), schedule_.learning_rate(position_.step - 1)));
  }
}

void StageTrainer::stop_for_divergence(long long step, const std::string& what) const {
  const std::string kept =
      std::filesystem::exists(inputs_.checkpoint)
          ? fmt::format("the checkpoint in {} is kept", inputs_.checkpoint.parent_path().string())
          : "no checkpoint of the stage was written yet";
  throw DataError(fmt::format(
      "stage {}, epoch {}, step {}: {}; {}: lower the stage's optimiser.learning_rate or "
      "clip_norm, remove its folder and go on with --resume",
      inputs_.stage.name, position_.epoch + 1, step, what, kept));
}

void StageTrainer::end_of_epoch() {
  const StageOptions& stage = inputs_.stage;
  require_same_parameters();
  require_finite_parameters();
  if (average_) average_->swap();
  const SplitResult dev = evaluate(model_, data_.dev, inputs_.context, stage.batch, {}, &group_);
  position_.waited += dev.waited_seconds;
  EpochRecord record;
  record.stage = stage.name;
  record.type = stage.type;
  record.epoch = position_.epoch + 1;
  record.step = position_.total_steps;
  record.train_loss =
      position_.loss_sum / static_cast<double>(std::max<long long>(1, position_.loss_count));
  record.dev_loss = dev.loss;
  record.dev_frame_error = dev.frame_error;
  record.dev_per = dev.scores.total.per();
  record.learning_rate = schedule_.learning_rate(position_.step - 1);
  method_->end_of_epoch(record);
  if (method_->projects()) {
    const SplitResult projected =
        evaluate(method_->deployable(model_), data_.dev, inputs_.context, stage.batch, {}, &group_);
    position_.waited += projected.waited_seconds;
    record.projected_dev_per = projected.scores.total.per();
  }
  const bool by_per = stage.schedule.metric == DevMetric::per;
  const ScheduleDecision decision =
      method_->settled()
          ? schedule_.end_of_epoch(record.epoch, by_per ? record.dev_per : record.dev_loss)
          : ScheduleDecision{};
  if (method_->keeps_best() && decision.is_best) best_ = copy_parameters(model_);
  if (average_) average_->swap();
  if (method_->keeps_best() && decision.restore) {
    assign_parameters(model_, best_, inputs_.checkpoint.string());
    optimiser_->reset();
    if (average_) average_->reset();
  }
  record.seconds = epoch_seconds();
  record.data_wait = record.seconds > 0 ? position_.waited / record.seconds : 0;
  if (group_.is_first()) metrics_->append(record);
  if (!inputs_.quiet) fmt::print(stderr, "{}\n", to_text(record, stage.epochs));
  ++position_.epoch;
  position_.batch = 0;
  position_.loss_sum = 0;
  position_.loss_count = 0;
  position_.seconds = 0;
  position_.waited = 0;
  epoch_start_ = std::chrono::steady_clock::now();
  save_checkpoint();
  inputs_.after_epoch(record);
}

double StageTrainer::epoch_seconds() const {
  return position_.seconds + seconds_since(epoch_start_);
}

void StageTrainer::save_checkpoint() {
  last_checkpoint_ = std::chrono::steady_clock::now();
  const auto random = group_.gather(to_raw(random_generator(model_->device()).get_state()).bytes);
  if (!group_.is_first()) return;
  Checkpoint checkpoint;
  checkpoint.identity = inputs_.identity;
  checkpoint.position = position_;
  checkpoint.position.seconds = epoch_seconds();
  checkpoint.schedule = schedule_.state();
  checkpoint.put("model.", copy_parameters(model_));
  checkpoint.put("best.", best_);
  checkpoint.put("optimiser.", optimiser_->state());
  if (average_) checkpoint.put("average.", average_->state());
  method_->save(checkpoint.file, "method.");
  for (int rank = 0; rank < group_.size(); ++rank) {
    const std::string& state = random[static_cast<std::size_t>(rank)];
    checkpoint.file.tensors["random." + random_name(inputs_.stage.device, rank)] = {
        "U8", {static_cast<std::int64_t>(state.size())}, state};
  }
  checkpoint.save(inputs_.checkpoint);
}

void StageTrainer::load_checkpoint() {
  const std::string file = inputs_.checkpoint.string();
  const Checkpoint checkpoint = Checkpoint::load(inputs_.checkpoint);
  position_ = checkpoint.position;
  schedule_.restore(checkpoint.schedule);
  assign_parameters(model_, checkpoint.group("model.", file), file);
  best_ = checkpoint.group("best.", file);
  optimiser_->restore(checkpoint.group("optimiser.", file), file);
  if (average_) average_->restore(checkpoint.group("average.", file), file);
  method_->load(checkpoint.file, "method.", file);
  load_random_state(checkpoint);
}

void StageTrainer::load_random_state(const Checkpoint& checkpoint) {
  const auto random = checkpoint.group("random.", inputs_.checkpoint.string());
  const TrainingDevice device = inputs_.stage.device;
  if (random.count(random_name(device, 0)) == 0) {
    throw DataError(fmt::format("{}: tensor 'random.{}' is missing", inputs_.checkpoint.string(),
                                random_name(device, 0)));
  }
  const auto own = random.find(random_name(device, group_.rank()));
  at::Generator generator = random_generator(model_->device());
  if (own != random.end()) {
    generator.set_state(own->second);
  } else {
    // Fewer processes wrote the checkpoint: a stream that no earlier step has drawn from.
    generator.set_current_seed(random_seed(inputs_.seed + position_.total_steps, group_.rank()));
  }
}

void StageTrainer::require_same_parameters() const {
  if (group_.is_alone()) return;
  std::uint64_t digest = 0;
  for (const auto& parameter : parameters_)
    digest = digest_bytes(to_raw(parameter.detach()).bytes, digest);
  const auto digests = group_.gather(fmt::format("{:016x}", digest));
  for (std::size_t rank = 1; rank < digests.size(); ++rank) {
    if (digests[rank] == digests[0]) continue;
    throw DataError(fmt::format(
        "stage {}, epoch {}, step {}: process {} has other parameters than process 0, expected the "
        "same bits; start processes on machines that are alike, with --resume",
        inputs_.stage.name, position_.epoch + 1, position_.step, rank));
  }
}

}  // namespace ernn
