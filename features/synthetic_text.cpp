#include "features/synthetic_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"

namespace ernn {

namespace {

constexpr int kMostSentences = 100000;

/// A template names these categories by `$x`; everything else in it is spoken as it stands.
/// No homographs (read, live, wind, close), whose sound a synthesiser has to guess.
const std::map<char, std::vector<std::string>>& categories() {
  static const std::map<char, std::vector<std::string>> lists = {
      // determiners that suit a singular noun whatever follows
      {'d', split_words("the my your our his her their this that each every another")},
      // adjectives
      {'a', split_words(
                "angry ancient awful beige big black blue bold brave bright broken brown busy "
                "calm careful cheap cheerful chilly clever cloudy clumsy cold curious dark dirty "
                "dusty eager early easy empty enormous faithful famous fancy fast foolish fresh "
                "friendly funny fuzzy gentle giant golden good gray green happy heavy hollow hot "
                "huge humble hungry icy jolly joyful juicy kind large lazy little lonely long "
                "loud lovely lucky modern muddy narrow noisy odd old orange pale patient plain "
                "polite proud purple quick quiet rare red rough round royal rusty sharp shiny "
                "short shy silent silver sleepy slow small smooth soft square strange strong "
                "sunny sweet tall thick thin thirsty tiny tired unusual usual vague wealthy "
                "white wide wild wise wooden yellow young")},
      // people and animals
      {'p', split_words(
                "actor artist aunt baker bear beaver bird boy brother camel captain cat chicken "
                "child cook cow crow dancer daughter dentist doctor dog donkey duck eagle "
                "elephant engineer farmer father fish fox friend frog girl goat goose guard "
                "guide hawk horse hunter judge king lawyer leopard lion lizard mayor monkey "
                "mother mouse musician neighbor nurse owl oyster painter parrot pilot pigeon "
                "poet prince queen rabbit robin sailor scientist shark sheep singer sister snake "
                "soldier spider student teacher thief tiger turtle uncle visitor voyager waiter "
                "walrus whale witch wolf worker writer youth zebra")},
      // things
      {'o', split_words(
                "apple anchor arrow axe badge bag ball banjo barrel basket bath beach bed bell "
                "bench blanket boat book bottle bowl box branch bread breeze brick bridge broom "
                "brush bucket bush button cabbage cake camera candle canoe carpet carrot cart "
                "castle chain chair cheese cherry chimney clock cloth cloud coat coin cookie "
                "corn couch crown cup curtain cushion diamond dish door drum egg engine envelope "
                "feather fence flag flute fork fountain garage garden gate gift glove hammer hat "
                "helmet hook house jacket jar jewel jug kettle key kite knife ladder lamp lemon "
                "letter lock log machine magazine map mask measure medal melon mirror moth mug "
                "nail necklace needle nest notebook oil onion oven package pail path peach pearl "
                "pen pencil piano picture pie pillow pipe plate plum pocket pot potato pudding "
                "puzzle quilt radio ring rocket roof rope ruler saddle sandwich scarf shelf ship "
                "shoe shovel soap sofa soup spoon statue stone stove sugar table tea telephone "
                "television thread thumb ticket tool towel toy trail train treasure trophy "
                "trumpet umbrella vase violin voice wagon wallet wheel whistle window yarn "
                "yogurt zipper")},
      // verbs that take a thing, past tense
      {'v',
       split_words("admired avoided borrowed bought broke brought carried caught chose cleaned "
                   "counted covered designed destroyed discovered drew dropped enjoyed examined "
                   "fixed followed found forgot gathered grabbed guarded held hid ignored joined "
                   "kept kicked left lifted liked lost loved measured moved needed noticed offered "
                   "opened ordered owned packed painted paid praised pulled purchased pushed "
                   "reached remembered repaired saved shook shared showed sold spoiled stole "
                   "studied threw touched took traded treasured used visualized wanted washed "
                   "watched weighed wore")},
      // verbs that take nothing, past tense
      {'i', split_words(
                "arrived ate bowed breathed chattered cheered coughed cried danced dreamed fell "
                "fished floated flew frowned giggled grew hummed hurried jogged jumped laughed "
                "listened marched paused played ran rejoiced rested sang shivered shouted sighed "
                "skated slept smiled sneezed snored stood swam talked thought traveled vanished "
                "voted waited walked whispered worked yawned")},
      // how
      {'r',
       split_words("again aloud badly bravely calmly carefully casually cheerfully easily gladly "
                   "happily lazily loudly neatly nearby often outside politely proudly quickly "
                   "quietly rarely sadly safely slowly smoothly softly suddenly thoughtfully "
                   "together twice usually")},
      // where, before a place
      {'w',
       split_words("above across along around behind below beside beyond by inside near on over "
                   "past through toward under")},
      // places
      {'l', split_words(
                "airport attic avenue barn bay bakery bank cabin cave cellar church circus city "
                "cliff college corner cottage courtyard desert dock factory farm field forest "
                "glacier hall harbor hill hotel island jungle kitchen lake library lighthouse "
                "market meadow mill mountain museum office orchard palace park pasture pier "
                "plateau pond porch prairie river road ruin school shore shop stable station "
                "stream street studio swamp temple theater tower town tunnel valley village yard "
                "zoo")},
      // when, whole phrases joined by underscores
      {'t', split_words(
                "yesterday today tonight this_morning last_month last_june each_thursday at_noon "
                "before_lunch after_breakfast all_day long_ago once_more for_an_hour "
                "every_evening on_sunday in_march by_midnight last_week")},
      // names
      {'n', split_words(
                "alice arthur betty charles chloe doug edith ethan faith george heather hugh "
                "ivan jason joyce judy kathy keith laura louis martha matthew nathan nora oliver "
                "oscar paul quincy roy ruth sheila simon steve susan theo toby ursula vera "
                "victor walter wendy yuri zach zoe")},
      // numbers
      {'c',
       split_words("two three four five six seven eight nine ten eleven twelve thirteen fourteen "
                   "fifteen sixteen twenty thirty forty fifty sixty")},
      // plurals
      {'s', split_words(
                "apples bananas beans bells birds boats books boxes branches bridges brushes "
                "buses cherries clouds coins cookies couches cows dishes dogs eggs foxes garages "
                "girls grapes houses judges ladders lemons mice months moths noises oranges "
                "oysters pages pigs ponies potatoes rings roses sheep shoes songs tables teeth "
                "things toys trees visions watches wheels wishes youths")},
  };
  return lists;
}

const std::vector<std::string>& templates() {
  static const std::vector<std::string> list = {
      "$d $a $p $v $d $o",          "$d $p $v $d $a $o",
      "$d $a $p $i $w $d $l",       "$n and $n $v $d $o",
      "$n $v $d $a $o $t",          "$n $i $r $w $d $l",
      "$c $a $s fell $w $d $l",     "$n $v $c $a $s",
      "$d $o and $d $o were $a",    "why was $d $p so $a $t",
      "$w $d $l $d $a $p $i",       "$t $d $p $r $v $d $o",
      "$d $o $w $d $l is $a",       "give $n $d $a $o",
      "put $d $o $w $d $a $l",      "is $d $a $p $w $d $l",
      "they $v $c $s $t",           "we $r $v $d $a $o",
      "she $v $d $o with $c $s",    "he $i $r until $d $a $p $i",
      "there is $d $a $o $w $d $l", "how many $s $i $t",
      "$n said $d $a $l was $a",    "both $s and $s were $a",
  };
  return list;
}

std::string expand(const std::string& pattern, CorpusRandom& random) {
  std::vector<std::string> words;
  for (const std::string& part : split_words(pattern)) {
    if (part[0] != '$') {
      words.push_back(part);
      continue;
    }
    const auto& choices = categories().at(part[1]);
    std::string word = choices[random.index(choices.size())];
    // A word twice in a row or in one sentence sounds wrong and teaches nothing.
    while (part[1] != 'd' && std::find(words.begin(), words.end(), word) != words.end())
      word = choices[random.index(choices.size())];
    words.push_back(word);
  }
  std::string text = join(words, " ");
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

}  // namespace

std::vector<std::string> sentence_vocabulary() {
  std::set<std::string> words;
  for (const auto& [code, list] : categories()) {
    for (const std::string& phrase : list) {
      for (const std::string& word : split(phrase, '_')) words.insert(word);
    }
  }
  for (const std::string& pattern : templates()) {
    for (const std::string& word : split_words(pattern)) {
      if (word[0] != '$') words.insert(word);
    }
  }
  return {words.begin(), words.end()};
}

std::vector<std::string> generate_sentences(int count, CorpusRandom& random) {
  if (count > kMostSentences) {
    throw UsageError(fmt::format("{} utterances are more than the {} different sentences on offer",
                                 count, kMostSentences));
  }
  std::set<std::string> seen;
  std::vector<std::string> sentences;
  while (static_cast<int>(sentences.size()) < count) {
    std::string text = expand(templates()[random.index(templates().size())], random);
    if (seen.insert(text).second) sentences.push_back(std::move(text));
  }
  return sentences;
}

}  // namespace ernn
