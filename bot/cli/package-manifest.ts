import * as v from 'valibot';

/** The one schema we build for; it comes with the library, so nothing is fetched. */
export const schemaAddress =
  'https://developer.microsoft.com/json-schemas/teams/v1.30/MicrosoftTeams.schema.json';

const scope = v.picklist(['personal', 'team', 'groupChat']);
export type Scope = v.InferOutput<typeof scope>;

/** The parts of the manifest that our own rules look at; Microsoft's schema has judged the whole before. */
export const manifestSchema = v.object({
  version: v.string(),
  id: v.string(),
  developer: v.object({
    name: v.string(),
    websiteUrl: v.string(),
    privacyUrl: v.string(),
    termsOfUseUrl: v.string(),
  }),
  name: v.object({ short: v.string(), full: v.string() }),
  description: v.object({ short: v.string(), full: v.string() }),
  icons: v.object({ color: v.string(), outline: v.string() }),
  bots: v.tuple([
    v.object({
      botId: v.string(),
      scopes: v.array(scope),
      supportsTargetedMessages: v.optional(v.boolean(), false),
      commandLists: v.array(
        v.object({
          scopes: v.array(scope),
          triggers: v.optional(v.array(v.picklist(['mention', 'slash'])), ['mention']),
          commands: v.array(v.object({ title: v.string(), description: v.optional(v.string(), '') })),
        }),
      ),
    }),
  ]),
  validDomains: v.array(v.string()),
  webApplicationInfo: v.object({ id: v.string(), resource: v.string() }),
  authorization: v.optional(
    v.object({
      permissions: v.optional(
        v.object({
          resourceSpecific: v.optional(v.array(v.object({ name: v.string(), type: v.string() }))),
        }),
      ),
    }),
  ),
});
export type Manifest = v.InferOutput<typeof manifestSchema>;
