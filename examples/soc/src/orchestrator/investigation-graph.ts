import { Annotation, END, START, StateGraph } from '@langchain/langgraph';
import type { Alert } from '../platform/alert.ts';
import type { Detection } from '../platform/detection.ts';
import type { Exposure } from '../platform/exposure.ts';
import type { Investigation, ResponsePlan } from '../platform/investigation.ts';
import type { Lineage } from '../platform/lineage.ts';
import type { Reasoning } from '../platform/reasoning.ts';
import type { PatternCheck } from './false-positives.ts';
import type { SimilarIncident } from './similar-incidents.ts';

const GraphState = Annotation.Root({
  alert: Annotation<Alert>,
  /** Of the event that was recorded last. */
  lineage: Annotation<Lineage>,
  investigation: Annotation<Investigation>,
  patterns: Annotation<PatternCheck>,
  similar: Annotation<readonly SimilarIncident[]>,
  exposures: Annotation<readonly Exposure[]>,
  detections: Annotation<readonly Detection[]>,
  reasoning: Annotation<Reasoning>,
  plan: Annotation<ResponsePlan | undefined>,
  /** Why a human must decide; empty if none must. */
  humanReasons: Annotation<readonly string[]>,
});

export type GraphState = typeof GraphState.State;
type Update = Partial<GraphState>;

/** What happens at each node of the graph. Each returns what it changed. */
export interface Steps {
  receive(state: GraphState): Promise<Update>;
  parse(state: GraphState): Promise<Update>;
  shortCircuit(state: GraphState): Promise<Update>;
  beginEnrichment(state: GraphState): Promise<Update>;
  findSimilar(state: GraphState): Promise<Update>;
  matchExposures(state: GraphState): Promise<Update>;
  matchDetections(state: GraphState): Promise<Update>;
  reason(state: GraphState): Promise<Update>;
  decide(state: GraphState): Promise<Update>;
  closeByAnalysis(state: GraphState): Promise<Update>;
  awaitHuman(state: GraphState): Promise<Update>;
  respond(state: GraphState): Promise<Update>;
}

/** The way of an alert: received → parsed → known pattern? → enriched in three ways at once → reasoned about → closed, human or response. */
export function investigationGraph(steps: Steps) {
  return new StateGraph(GraphState)
    .addNode('receive', (state) => steps.receive(state))
    .addNode('parse', (state) => steps.parse(state))
    .addNode('shortCircuit', (state) => steps.shortCircuit(state))
    .addNode('beginEnrichment', (state) => steps.beginEnrichment(state))
    .addNode('findSimilar', (state) => steps.findSimilar(state))
    .addNode('matchExposures', (state) => steps.matchExposures(state))
    .addNode('matchDetections', (state) => steps.matchDetections(state))
    .addNode('reason', (state) => steps.reason(state))
    .addNode('decide', (state) => steps.decide(state))
    .addNode('closeByAnalysis', (state) => steps.closeByAnalysis(state))
    .addNode('awaitHuman', (state) => steps.awaitHuman(state))
    .addNode('respond', (state) => steps.respond(state))
    .addEdge(START, 'receive')
    .addEdge('receive', 'parse')
    .addConditionalEdges('parse', ({ patterns }) => (patterns.match ? 'shortCircuit' : 'beginEnrichment'), [
      'shortCircuit',
      'beginEnrichment',
    ])
    .addEdge('shortCircuit', END)
    .addEdge('beginEnrichment', 'findSimilar')
    .addEdge('beginEnrichment', 'matchExposures')
    .addEdge('beginEnrichment', 'matchDetections')
    .addEdge(['findSimilar', 'matchExposures', 'matchDetections'], 'reason')
    .addEdge('reason', 'decide')
    .addConditionalEdges('decide', nextOfDecision, ['closeByAnalysis', 'awaitHuman', 'respond'])
    .addEdge('closeByAnalysis', END)
    .addEdge('awaitHuman', END)
    .addEdge('respond', END)
    .compile();
}

function nextOfDecision({ plan, humanReasons }: GraphState): 'closeByAnalysis' | 'awaitHuman' | 'respond' {
  if (plan === undefined) return 'closeByAnalysis';
  return humanReasons.length > 0 ? 'awaitHuman' : 'respond';
}
