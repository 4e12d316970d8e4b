// The texts of the page in English and Brazilian Portuguese. A pair is singular and plural; zero takes the plural.

const words = {
  en: {
    // Frame
    skip: "Skip to content", views: "Views", lists: "Lists", cluster: "Cluster", api: "API", logIn: "Log in",
    logOut: "Log out",

    // Lists
    yourLists: "Your lists", newList: "New list", addList: "Add list", moreLists: "Show more lists",
    left: ["{n} left", "{n} left"], renameList: "Rename list", listName: "Name of the list",
    listActions: "List actions", completeAll: "Complete all tasks", deleteList: "Delete list",
    noSuchList: "This list doesn’t exist any more",

    // Tasks
    newTask: "What needs to be done?", tasks: "Tasks", show: "Show", all: "All", active: "Active",
    completed: "Completed", itemsLeft: ["{n} item left", "{n} items left"], clear: "Clear completed",
    showAll: "Show all", loading: "Loading tasks",

    // A task
    edit: "Edit title", taskTitle: "Title of the task", taskMenu: "Task actions", actions: "Actions for {title}",
    reorder: "Reorder {title}", deleteTask: "Delete {title}", dueDate: "Due date", addDue: "Add a due date to {title}",
    changeDue: "Change the due date of {title}, {date}", overdue: "Overdue · {date}", today: "Today",
    tomorrow: "Tomorrow", nextWeek: "In a week", date: "Date", removeDate: "Remove date", moveUp: "Move up",
    moveDown: "Move down", moveTo: "Move to", delete: "Delete", position: "{title}: position {n} of {total}",

    // Toast
    deleted: "“{title}” deleted", moved: "“{title}” moved to {list}",
    cleared: ["{n} completed task deleted", "{n} completed tasks deleted"], undo: "Undo", dismiss: "Dismiss",
    refused: "“{title}” was not saved: {detail}", listGone: "“{name}” was deleted elsewhere",

    // Changes that are not saved
    notSaved: "Not saved", changedElsewhere: "Changed elsewhere",
    resolve: "Changed elsewhere: choose a version of {title}",
    dbAway: [
      "The database is unreachable: {n} change is waiting and will be sent",
      "The database is unreachable: {n} changes are waiting and will be sent",
    ],
    dbAwayIdle: "The database is unreachable. You can go on working: changes will be sent when it is back",
    offline: [
      "You are offline: {n} change is waiting and will be sent",
      "You are offline: {n} changes are waiting and will be sent",
    ],
    offlineIdle: "You are offline. You can go on working: changes will be sent when you are online again",
    unreachable: [
      "The service can’t be reached: {n} change is waiting and will be sent",
      "The service can’t be reached: {n} changes are waiting and will be sent",
    ],
    unreachableIdle: "The service can’t be reached. You can go on working: changes will be sent when it is back",
    error: [
      "The service reports an error ({detail}): {n} change is waiting and will be sent again",
      "The service reports an error ({detail}): {n} changes are waiting and will be sent again",
    ],
    errorIdle: "The service reports an error ({detail}). The page will try again",
    signedOut: [
      "You are logged out: {n} change is waiting. Log in in another window, then try again",
      "You are logged out: {n} changes are waiting. Log in in another window, then try again",
    ],
    signedOutIdle: "You are logged out. Log in in another window, then try again", tryNow: "Try now",
    allSaved: "All changes are saved",

    // Empty lists
    emptyTitle: "This list is empty", emptyText: "Type what needs to be done in the field above and press Enter.",
    noActiveTitle: "Everything is done", noActiveText: "Add the next task above, or look at what you completed.",
    noDoneTitle: "Nothing is completed yet", noDoneText: "Tick a task and it will be kept here until you clear it.",
    firstTitle: "Start with a list",
    firstText: "A list holds tasks: groceries, the steps of a course, what is left before a release. Name your first one and press Enter.",
    readOnlyTitle: "There are no lists yet", readOnlyText: "Log in to add something.",

    // Conflicts
    conflictTitle: "This task was changed elsewhere", conflictListTitle: "This list was changed elsewhere",
    goneTitle: "This list was deleted elsewhere", goneText: "Your change isn’t saved yet. Make the list again, with the tasks that you see?",
    makeAgain: "Make it again", leaveDeleted: "Leave it deleted",
    conflictText: "Your change isn’t saved yet. Choose the version to keep.", yours: "Yours", theirs: "Theirs",
    at: "at {time}", fieldName: "Name", fieldTitle: "Title", fieldDue: "Due date", fieldDone: "Completed", yes: "Yes",
    no: "No", none: "None", mineDeleted: "You deleted the task", mineDeletedList: "You deleted the list",
    theirsDeleted: "The task was deleted", theirsDeletedList: "The list was deleted", keepMine: "Keep mine",
    takeTheirs: "Take theirs", later: "Decide later",

    // Cluster
    start: "Start", stop: "Stop", rate: "Requests per second", answered: "answered", unavailable: "503 unavailable",
    failed: "failed", since: "since", strip: "Last 200 answers", pods: "Pods", legend: "Legend",
    keyOld: "Version {v}, outlined", keyNew: "Version {v}, filled", key503: "503: the database is unreachable",
    keyFail: "Failed", stripLabel: "Last {n} answers: {pods}; {out} were 503; {bad} failed",

    // Pods
    pod: "Pod", version: "Version", database: "Database", known: "Lists known", answers: "Answers", median: "Median",
    slowest: "Slowest", up: "Up since", ms: "{n} ms", gone: "last answered at {time}",
    numbers: ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"],

    // Sentences about a run
    sayIdle: "Press Start to send small requests, each on a new connection, and see which pod answers.",
    sayWaiting: "Waiting for the first answer.",
    saySoFar: "One pod has answered so far.",
    sayOne: "Only one pod has answered: there may be one replica, `kubectl port-forward`, which always leads to the same pod, or a proxy that keeps its connection.",
    saySingle: "Only one pod answers now; {n} answered before.",
    sayMixed: "Some pods use SQLite and others PostgreSQL: the replicas are being replaced.",
    sayBefore: "{N} pods answer. They run a version without this view, so only their names are known.",
    sayKept: [
      "Only one pod answers now: version {v} keeps the browser’s connection until the pod stops. {n} request failed.",
      "Only one pod answers now: version {v} keeps the browser’s connection until the pod stops. {n} requests failed.",
    ],
    sayShared: [
      "{N} pods answer and all know the same list: they share one PostgreSQL database.",
      "{N} pods answer and all know the same {lists} lists: they share one PostgreSQL database.",
    ],
    sayApart: "{N} pods answer and each knows other lists: with SQLite every replica has its own database.",
    sayEqual: "{N} pods answer. Each has its own SQLite database; so far they hold the same number of lists.",
    sayRollout: [
      "Version {old} is being replaced by {new}; {n} request failed.",
      "Version {old} is being replaced by {new}; {n} requests failed.",
    ],
    sayRolloutWell: "Version {old} is being replaced by {new}; 0 requests failed, because a pod leaves only when its successor is ready.",
    sayRolled: [
      "Version {old} was replaced by {new}; {n} request failed.",
      "Version {old} was replaced by {new}; {n} requests failed.",
    ],
    sayRolledWell: "Version {old} was replaced by {new}; 0 requests failed, because a pod leaves only when its successor is ready.",
    sayOut: [
      "The database is unreachable: the pods answer 503 and recover by themselves. {n} request failed.",
      "The database is unreachable: the pods answer 503 and recover by themselves. {n} requests failed.",
    ],
    sayBusy: [
      "The pods answer 503 because they are overloaded: send fewer requests per second. {n} request failed.",
      "The pods answer 503 because they are overloaded: send fewer requests per second. {n} requests failed.",
    ],
    sayProxy: [
      "A proxy answers 503 in place of the pods: check with `kubectl get pods` whether they are ready. {n} request failed.",
      "A proxy answers 503 in place of the pods: check with `kubectl get pods` whether they are ready. {n} requests failed.",
    ],
    sayBack: "The database is back after {s} s: {out} requests were answered with 503; {n} failed.",
    sayAgain: "The pods answer again after {s} s: {out} requests were answered with 503; {n} failed.",
    sayFailed: [
      "{n} request failed. Look at `kubectl get pods` and `kubectl get events`.",
      "{n} requests failed. Look at `kubectl get pods` and `kubectl get events`.",
    ],
    sayLogin: "You are logged out: reload the page, log in and press Start again.",
    sayOff: "There is nothing to see here, because the service doesn’t know which pod it is. Set `SERVED_BY` to the pod’s name, as the chart does, restart the service, and reload the page.",
  },
  "pt-BR": {
    // Frame
    skip: "Ir para o conteúdo", views: "Telas", lists: "Listas", cluster: "Cluster", api: "API", logIn: "Entrar",
    logOut: "Sair",

    // Lists
    yourLists: "Suas listas", newList: "Nova lista", addList: "Adicionar lista", moreLists: "Mostrar mais listas",
    left: ["falta {n}", "faltam {n}"], renameList: "Renomear lista", listName: "Nome da lista",
    listActions: "Ações da lista", completeAll: "Concluir todas as tarefas", deleteList: "Excluir lista",
    noSuchList: "Esta lista não existe mais",

    // Tasks
    newTask: "O que precisa ser feito?", tasks: "Tarefas", show: "Mostrar", all: "Todas", active: "Pendentes",
    completed: "Concluídas", itemsLeft: ["Falta {n} item", "Faltam {n} itens"], clear: "Limpar concluídas",
    showAll: "Mostrar todas", loading: "Carregando tarefas",

    // A task
    edit: "Editar título", taskTitle: "Título da tarefa", taskMenu: "Ações da tarefa", actions: "Ações de {title}",
    reorder: "Reordenar {title}", deleteTask: "Excluir {title}", dueDate: "Prazo",
    addDue: "Definir um prazo para {title}", changeDue: "Alterar o prazo de {title}, {date}",
    overdue: "Atrasada · {date}", today: "Hoje", tomorrow: "Amanhã", nextWeek: "Em uma semana", date: "Data",
    removeDate: "Remover prazo", moveUp: "Mover para cima", moveDown: "Mover para baixo", moveTo: "Mover para",
    delete: "Excluir", position: "{title}: posição {n} de {total}",

    // Toast
    deleted: "“{title}” foi excluída", moved: "“{title}” foi movida para {list}",
    cleared: ["{n} tarefa concluída foi excluída", "{n} tarefas concluídas foram excluídas"], undo: "Desfazer",
    dismiss: "Fechar", refused: "“{title}” não foi salva: {detail}", listGone: "“{name}” foi excluída em outro lugar",

    // Changes that are not saved
    notSaved: "Não salva", changedElsewhere: "Alterada em outro lugar",
    resolve: "Alterada em outro lugar: escolha uma versão de {title}",
    dbAway: [
      "O banco de dados está inacessível: {n} alteração está na fila e será enviada",
      "O banco de dados está inacessível: {n} alterações estão na fila e serão enviadas",
    ],
    dbAwayIdle: "O banco de dados está inacessível. Você pode continuar: as alterações serão enviadas quando ele voltar",
    offline: [
      "Você está sem conexão: {n} alteração está na fila e será enviada",
      "Você está sem conexão: {n} alterações estão na fila e serão enviadas",
    ],
    offlineIdle: "Você está sem conexão. Você pode continuar: as alterações serão enviadas quando a conexão voltar",
    unreachable: [
      "O serviço está inacessível: {n} alteração está na fila e será enviada",
      "O serviço está inacessível: {n} alterações estão na fila e serão enviadas",
    ],
    unreachableIdle: "O serviço está inacessível. Você pode continuar: as alterações serão enviadas quando ele voltar",
    error: [
      "O serviço informa um erro ({detail}): {n} alteração está na fila e será reenviada",
      "O serviço informa um erro ({detail}): {n} alterações estão na fila e serão reenviadas",
    ],
    errorIdle: "O serviço informa um erro ({detail}). A página tentará de novo",
    signedOut: [
      "Sua sessão terminou: {n} alteração está na fila. Entre em outra janela e tente de novo",
      "Sua sessão terminou: {n} alterações estão na fila. Entre em outra janela e tente de novo",
    ],
    signedOutIdle: "Sua sessão terminou. Entre em outra janela e tente de novo", tryNow: "Tentar agora",
    allSaved: "Todas as alterações foram salvas",

    // Empty lists
    emptyTitle: "Esta lista está vazia", emptyText: "Digite no campo acima o que precisa ser feito e pressione Enter.",
    noActiveTitle: "Tudo pronto", noActiveText: "Adicione a próxima tarefa acima ou veja o que você já concluiu.",
    noDoneTitle: "Nada foi concluído ainda", noDoneText: "Marque uma tarefa e ela ficará aqui até você limpar.",
    firstTitle: "Comece com uma lista",
    firstText: "Uma lista guarda tarefas: as compras, os passos de um curso, o que falta para uma versão. Dê um nome à primeira e pressione Enter.",
    readOnlyTitle: "Ainda não há listas", readOnlyText: "Entre para adicionar algo.",

    // Conflicts
    conflictTitle: "Esta tarefa foi alterada em outro lugar",
    conflictListTitle: "Esta lista foi alterada em outro lugar",
    goneTitle: "Esta lista foi excluída em outro lugar", goneText: "Sua alteração ainda não foi salva. Criar a lista de novo, com as tarefas que você vê?",
    makeAgain: "Criar de novo", leaveDeleted: "Deixar excluída",
    conflictText: "Sua alteração ainda não foi salva. Escolha qual versão manter.", yours: "A sua", theirs: "A outra",
    at: "às {time}", fieldName: "Nome", fieldTitle: "Título", fieldDue: "Prazo", fieldDone: "Concluída", yes: "Sim",
    no: "Não", none: "Nenhum", mineDeleted: "Você excluiu a tarefa", mineDeletedList: "Você excluiu a lista",
    theirsDeleted: "A tarefa foi excluída", theirsDeletedList: "A lista foi excluída", keepMine: "Manter a minha",
    takeTheirs: "Usar a outra", later: "Decidir depois",

    // Cluster
    start: "Iniciar", stop: "Parar", rate: "Requisições por segundo", answered: "respondidas",
    unavailable: "503 indisponível", failed: "falhas", since: "desde", strip: "Últimas 200 respostas", pods: "Pods",
    legend: "Legenda", keyOld: "Versão {v}, contorno", keyNew: "Versão {v}, preenchida",
    key503: "503: banco de dados inacessível", keyFail: "Falha",
    stripLabel: "Últimas {n} respostas: {pods}; {out} foram 503; {bad} falharam",

    // Pods
    pod: "Pod", version: "Versão", database: "Banco", known: "Listas", answers: "Respostas", median: "Mediana",
    slowest: "Mais lenta", up: "No ar desde", ms: "{n} ms", gone: "última resposta às {time}",
    numbers: ["Nenhum", "Um", "Dois", "Três", "Quatro", "Cinco", "Seis", "Sete", "Oito", "Nove", "Dez"],

    // Sentences about a run
    sayIdle: "Clique em Iniciar para enviar pequenas requisições, cada uma em uma conexão nova, e ver qual pod responde.",
    sayWaiting: "Aguardando a primeira resposta.",
    saySoFar: "Um pod respondeu até agora.",
    sayOne: "Só um pod respondeu: talvez haja uma única réplica, você esteja usando `kubectl port-forward`, que leva sempre ao mesmo pod, ou um proxy mantenha a conexão aberta.",
    saySingle: "Só um pod responde agora; antes, {n} respondiam.",
    sayMixed: "Alguns pods usam SQLite e outros PostgreSQL: as réplicas estão sendo substituídas.",
    sayBefore: "{N} pods respondem. Eles são de uma versão sem esta tela, por isso só os nomes são conhecidos.",
    sayKept: [
      "Só um pod responde agora: a versão {v} mantém a conexão do navegador até o pod parar. {n} requisição falhou.",
      "Só um pod responde agora: a versão {v} mantém a conexão do navegador até o pod parar. {n} requisições falharam.",
    ],
    sayShared: [
      "{N} pods respondem e todos conhecem a mesma lista: eles compartilham um banco PostgreSQL.",
      "{N} pods respondem e todos conhecem as mesmas {lists} listas: eles compartilham um banco PostgreSQL.",
    ],
    sayApart: "{N} pods respondem e cada um conhece listas diferentes: com SQLite, cada réplica tem o próprio banco de dados.",
    sayEqual: "{N} pods respondem. Cada um tem o próprio banco SQLite; por enquanto, todos têm o mesmo número de listas.",
    sayRollout: [
      "A versão {old} está sendo substituída pela {new}; {n} requisição falhou.",
      "A versão {old} está sendo substituída pela {new}; {n} requisições falharam.",
    ],
    sayRolloutWell: "A versão {old} está sendo substituída pela {new}; 0 requisições falharam, porque um pod só sai quando o substituto está pronto.",
    sayRolled: [
      "A versão {old} foi substituída pela {new}; {n} requisição falhou.",
      "A versão {old} foi substituída pela {new}; {n} requisições falharam.",
    ],
    sayRolledWell: "A versão {old} foi substituída pela {new}; 0 requisições falharam, porque um pod só sai quando o substituto está pronto.",
    sayOut: [
      "O banco de dados está inacessível: os pods respondem 503 e se recuperam sozinhos. {n} requisição falhou.",
      "O banco de dados está inacessível: os pods respondem 503 e se recuperam sozinhos. {n} requisições falharam.",
    ],
    sayBusy: [
      "Os pods respondem 503 porque estão sobrecarregados: envie menos requisições por segundo. {n} requisição falhou.",
      "Os pods respondem 503 porque estão sobrecarregados: envie menos requisições por segundo. {n} requisições falharam.",
    ],
    sayProxy: [
      "Um proxy responde 503 no lugar dos pods: veja com `kubectl get pods` se eles estão prontos. {n} requisição falhou.",
      "Um proxy responde 503 no lugar dos pods: veja com `kubectl get pods` se eles estão prontos. {n} requisições falharam.",
    ],
    sayBack: "O banco de dados voltou depois de {s} s: {out} requisições receberam 503; {n} falharam.",
    sayAgain: "Os pods voltaram a responder depois de {s} s: {out} requisições receberam 503; {n} falharam.",
    sayFailed: [
      "{n} requisição falhou. Veja `kubectl get pods` e `kubectl get events`.",
      "{n} requisições falharam. Veja `kubectl get pods` e `kubectl get events`.",
    ],
    sayLogin: "Sua sessão terminou: recarregue a página, entre e clique em Iniciar novamente.",
    sayOff: "Não há nada para ver aqui, porque o serviço não sabe qual pod ele é. Defina `SERVED_BY` com o nome do pod, como faz o chart, reinicie o serviço e recarregue a página.",
  },
};

const languages = Object.keys(words);
const supported = (tag) => languages.find((each) => each.slice(0, 2) === tag.slice(0, 2).toLowerCase());

/** The language of the page: the first of the browser's languages that is supported. */
export const lang = navigator.languages.map(supported).find(Boolean) ?? "en";

const number = new Intl.NumberFormat(lang);
export const formatNumber = (n) => number.format(n);

/** The text of a key, with `values` in place of its braces. `n` chooses between singular and plural. */
export function t(key, values = {}) {
  let text = words[lang][key];
  if (Array.isArray(text)) text = text[values.n === 1 ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? formatNumber(value) : value;
  });
}

/** A number at the beginning of a sentence: "Two" for 2; digits above ten. */
export const spelled = (n) => words[lang].numbers[n] ?? formatNumber(n);
