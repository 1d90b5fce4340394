/**
 * What happens to a text before it is cut into words: BERT's normalizer for lower-case models, as
 * https://github.com/huggingface/tokenizers has it (`normalizers/bert.rs`), which made the vocabulary's
 * training data. That of `@xenova/transformers` 2.17.2 differs from it: it strips only the accents
 * U+0300 to U+036F, misses CJK characters past U+FFFF and lower-cases a final sigma to another letter.
 */
const CONTROL = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\uFFFD]/gu;
const CJK =
  /[\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\u{20000}-\u{2A6DF}\u{2A700}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu;

export function normalizeForBert(text: string): string {
  return text
    .replace(CONTROL, "")
    .replace(/\s/g, " ")
    .replace(CJK, " $& ")
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .replaceAll("Σ", "σ")
    .toLowerCase();
}
