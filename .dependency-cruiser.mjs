/** Imports run one way, downwards, type imports included (docs/architecture.md); tests are held to no zone, only to no cycle. */
const test = '\\.test\\.ts$'

/** Floors from the top down; the folders of one floor are siblings and never import each other. */
const server = [['main.ts', 'cli/'], ['server.ts'], ['config/'], ['http/', 'control/'], ['domain/'], ['store/']]
const agent = [
  ['main.ts', 'cli/'],
  ['daemon/'],
  ['config/'],
  ['control/', 'tasks/', 'delivery/'],
  ['terraform/', 'state/', 'logs/', 'server-api/'],
  ['journal/'],
]

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...floors('server', server),
    ...floors('agent', agent),
    zone('apps-keep-apart', '^apps/([^/]+)/', '^apps/(?!$1/)'),
    zone('packages-never-import-apps', '^packages/', '^(apps|demo|e2e|bench)/'),
    zone('protocol-is-the-ground-floor', '^packages/protocol/src/', '^packages/(?!protocol/)'),
    zone('runtime-and-client-on-protocol', '^packages/(runtime|client)/src/', '^packages/(?!($1|protocol)/)'),
    zone('testkit-drives-from-outside', '^packages/testkit/', '^packages/(?!(testkit|protocol|client|runtime)/)'),
    zone('apps-on-protocol-and-runtime', '^apps/[^/]+/src/', '^packages/(?!(protocol|runtime)/)'),
    zone('outside-drives-the-bins', '^(demo|e2e|bench)/', '^(apps/|packages/(?!(protocol|client|testkit)/))'),
    zone(
      'the-server-config-stays-at-the-root',
      '^apps/server/src/(http|control|domain|store)/',
      '^apps/server/src/config/',
    ),
    zone(
      'the-agent-config-stays-at-the-root',
      '^apps/agent/src/(?!(main\\.ts|cli/|daemon/|config/))',
      '^apps/agent/src/config/',
    ),
    zone(
      'server-audiences-keep-apart',
      '^apps/server/src/http/(agent|operator|open)/',
      '^apps/server/src/http/(?!$1)(agent|operator|open)/',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|dist|fixtures)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
}

function floors(app, list) {
  const src = `^apps/${app}/src/`
  return list.flatMap((floor, index) => {
    const above = list.slice(0, index).flat()
    return floor.flatMap((folder) => {
      const forbidden = [...above, ...(index === 0 ? [] : floor.filter((other) => other !== folder))]
      if (forbidden.length === 0) return []
      return [
        zone(
          `${app}-${folder.replace(/\W.*/, '')}-imports-downwards`,
          `${src}${folder}`,
          `${src}(${forbidden.join('|')})`,
        ),
      ]
    })
  })
}

function zone(name, from, to) {
  return { name, severity: 'error', from: { path: from, pathNot: test }, to: { path: to } }
}
