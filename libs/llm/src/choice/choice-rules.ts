/**
 * What tells a question that a small model answers as well from one that wants the large one (features C7). The
 * first rule that fits decides; where none does, the question is a simple one. Kept as data, so that what a
 * trace names can be looked up here.
 */
export type Size = 'simple' | 'complex';

export interface ChoiceRule {
  /** Stands on the span of the answer. */
  readonly name: string;
  readonly says: Size;
  /** All that is given has to hold. */
  readonly pattern?: RegExp;
  /** Characters of the question. */
  readonly minLength?: number;
  readonly maxLength?: number;
}

export const choiceRules: readonly ChoiceRule[] = [
  { name: 'code', says: 'complex', pattern: /```|=>|\)\s*\{|\bdef \w+\(|\bfor \(|\w\(\w*\)[.;:]/ },
  { name: 'long', says: 'complex', minLength: 160 },
  {
    name: 'small-talk',
    says: 'simple',
    pattern:
      /^(?:hi|hey|hello|yo|good (?:morning|evening|night|bot)|thanks?|lol|ok|sorry|yes|no|happy birthday|nice to meet|see you|ping|test|continue)\b/i,
    maxLength: 60,
  },
  {
    name: 'look-up',
    says: 'simple',
    pattern:
      /^(?:how (?:do (?:i|you) (?:say|spell|pronounce)|many|much|long (?:is|does|to)|old|far|tall)|who|when|where)\b[^,:]*$/i,
    maxLength: 70,
  },
  { name: 'why', says: 'complex', pattern: /\bwhy\b/i },
  {
    name: 'task',
    says: 'complex',
    pattern:
      /^(?:please )?(?:make|teach|build|break|set|turn|rank|show|solve|fix|tell me about|give (?:me )?(?:feedback|advice|arguments))\b/i,
    minLength: 20,
  },
  {
    name: 'work',
    says: 'complex',
    pattern:
      /\b(?:explain|compare|analy[sz]e|summar(?:i[sz]e|y)|debug|refactor|prove|derive|design|implement|optimi[sz]e|outline|draft|review|evaluate|calculate|estimate|interpret|critique|plan|develop|create|describe|rewrite|generate|architecture|strategy|reasoning|theories|arguments|walk me through|help me|step by step|in detail|pros and cons|trade-?offs|difference between)\b/i,
  },
  {
    name: 'writing',
    says: 'complex',
    pattern:
      /\b(?:write|list|give me)\b.*\b(?:story|poem|essay|e-?mail|script|speech|function|tests?|code|letter|quest|notes|limerick|quer(?:y|ies)|recipe|ideas|breakdown)\b/i,
  },
  { name: 'reasons', says: 'complex', pattern: /^(?:but )?how\b/i, minLength: 28 },
  {
    name: 'consequences',
    says: 'complex',
    pattern: /\bwhat (?:would|caused?|should|could|makes?|are|is the best way)\b/i,
    minLength: 28,
  },
  {
    name: 'technical',
    says: 'complex',
    pattern:
      /\b(?:python|javascript|typescript|sql|regex|rust|java|docker|kubernetes|git|react|algorithm|complexity|equation|integral|derivative|probability|schema|json|bug)\b/i,
    minLength: 35,
  },
  { name: 'figures', says: 'complex', pattern: /\d.*\D\d.*\D\d/s, minLength: 60 },
  { name: 'several-questions', says: 'complex', pattern: /\?.*\?/s },
  { name: 'brief', says: 'simple', maxLength: 36 },
  {
    name: 'plain-question',
    says: 'simple',
    pattern: /^(?:what|which|whose|define|translate|convert|recommend|suggest)\b[^,;:]*$/i,
    maxLength: 60,
  },
];
