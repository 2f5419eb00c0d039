export {
  type AnswerCall,
  type AnswerEffect,
  type AnswerEvent,
  type AnswerState,
  newAnswer,
  type PostedPart,
  stepAnswer,
} from './answer-message.ts';
export { ChannelSender, type MessageEdit, type NewMessage } from './channel-sender.ts';
export { ClientGateway, type ClientGatewayParts, type GatewaySnapshot } from './client-gateway.ts';
export { type ClientSettings, createClient } from './create-client.ts';
export { EditPace, type RateLimitState } from './edit-pace.ts';
export { closeFences } from './fences.ts';
export { fetchGatewayInfo, type GatewayInfo } from './fetch-gateway-info.ts';
export { GatewayError, type GatewayFault } from './gateway-error.ts';
export {
  decodeInteraction,
  type InteractionCreate,
  type InteractionHandle,
} from './interaction-create.ts';
export { InteractionResponder } from './interaction-responder.ts';
export {
  decodeMessage,
  deletedMessages,
  type MessageCreate,
  type ReferencedMessage,
} from './message-create.ts';
export { partNonce } from './part-nonce.ts';
export { SendError, type SendFault } from './send-error.ts';
export { messageContents } from './split-message.ts';
export { type StopTarget, stopButtonId, stopTargetOf } from './stop-button.ts';
