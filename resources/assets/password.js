/* How strong a password is, as an honest guess: letters in a row count as words, what repeats or counts up counts once. */
(() => {
  "use strict";
  const LEAST = 12;
  const COMMON = /passwor[dt]|qwert[yz]\w*|asdf\w*|letmein|welcome|willkommen|admin|secret|geheim|iloveyou|deconomix|session|melanoma|tumou?r|cancer|lab(or)?|(19|20)\d\d/gi;
  const WORD_LETTER = 2.3; /* bits: a letter of a word tells little */

  function bits(password) {
    const whole = password.match(/^(.+?)\1+$/u); /* the same piece again and again */
    const text = (whole ? whole[1] : password).replace(COMMON, "\u0000");
    const kinds = [[/[a-z]/, 26], [/[A-Z]/, 26], [/[0-9]/, 10], [/[^a-zA-Z0-9\u0000]/, 33]];
    const pool = Math.log2(kinds.reduce((sum, [kind, size]) => sum + (kind.test(text) ? size : 0), 1));
    const letters = Array.from(text);
    let sum = whole ? 3 : 0;
    let step = null;
    letters.forEach((letter, index) => {
      const before = index ? letter.codePointAt(0) - letters[index - 1].codePointAt(0) : null;
      const expected = before !== null && Math.abs(before) <= 1 && (before === 0 || before === step); /* aaaa, 1234, dcba */
      step = before;
      const around = letters.slice(Math.max(0, index - 2), index + 3).join("");
      const in_word = /\p{L}{3,}/u.test(around) && /\p{L}/u.test(letter);
      sum += letter === "\u0000" ? 6 : expected ? 0.5 : in_word ? WORD_LETTER : pool;
    });
    return sum;
  }

  function password_hint(one, two) {
    const length = Array.from((one || "").normalize("NFKC")).length;
    if (!length) return ["", "dimmed"];
    if (length < LEAST) return [`Too short: ${length} of ${LEAST} characters.`, "red"];
    if (two && two !== one) return ["The two are not the same yet.", "red"];
    const strength = bits(one);
    if (strength < 40) return ["Weak: easily guessed. Better: four or five words that do not belong together.", "red"];
    if (strength < 55) return ["Fair. One or two more words make it good.", "orange"];
    return strength < 75 ? ["Good.", "teal"] : ["Strong.", "teal"];
  }

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.dcx = { ...(window.dash_clientside.dcx || {}), password_hint };
})();
